# SPDX-License-Identifier: Apache-2.0
# What `cmake --install BUILD --prefix /usr` puts where; the binary looks for rules and actions there. Nothing goes to /etc: a
# drop-in that appeared there by itself would change logging at the next restart of rsyslog.
file(GLOB _actions CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/actions/*)
list(FILTER _actions EXCLUDE REGEX "README\\.md$")
set(_libraries ${_actions})
list(FILTER _libraries INCLUDE REGEX "/lib[^/]*\\.sh$")
list(REMOVE_ITEM _actions ${_libraries})
install(PROGRAMS ${_actions} DESTINATION lib/correlator/actions)
install(FILES ${_libraries} DESTINATION lib/correlator/actions)
install(DIRECTORY rules/ DESTINATION share/correlator/rules FILES_MATCHING PATTERN "*.toml" PATTERN "*.csv")
install(DIRECTORY rsyslog.d/ DESTINATION share/correlator/rsyslog.d)
install(FILES packaging/systemd/correlator.service packaging/systemd/correlator-dispatch.service
  packaging/systemd/correlator-events.service DESTINATION lib/systemd/system)
install(FILES packaging/tmpfiles/correlator-events.conf DESTINATION lib/tmpfiles.d)
install(FILES LICENSE README.md docs/rules.md docs/install.md docs/metrics.md DESTINATION share/doc/correlator)
