// SPDX-License-Identifier: Apache-2.0
// Who we are, and who may change what we trust.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "base/result.h"

namespace correlator::host {

bool is_root();

// Gives up root for good: supplementary groups, group, user. Nothing to do if the process runs as that user already.
// E410 if there is no such user or the change is refused.
Status become_user(const std::string& name);

// Makes a directory if it is missing, with this mode, and gives it to `user` if it is not theirs (empty: leaves the owner). E410.
Status make_directory(const std::filesystem::path& dir, mode_t mode, const std::string& user, const std::string& group = {});

// Ok if nobody but root (and the user we run as) could change what `path` names: every directory on the way, as written and
// as resolved, and the file itself belong to them and are not writable by group or others (sticky directories such as /tmp
// may be, as long as the entry in them is safe). E411 names the component and how to mend it.
Status only_we_can_write(const std::filesystem::path& path);

}  // namespace correlator::host
