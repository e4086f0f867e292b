#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
exec "$SOURCE/tests/sec/run-cases" "$CORRELATOR"
