// SPDX-License-Identifier: Apache-2.0
// Live input from the systemd journal: entries are given in its export format, which the parser knows.
#include "input/live.h"

#ifdef CORRELATOR_HAVE_SYSTEMD

#include <fmt/format.h>
#include <systemd/sd-journal.h>

#include <cstring>
#include <utility>

namespace correlator::input {
namespace {

struct JournalCloser {
  void operator()(sd_journal* journal) const { sd_journal_close(journal); }
};
using Journal = std::unique_ptr<sd_journal, JournalCloser>;

Diagnostic failed(std::string_view doing, int error) {
  return make_error("E205", fmt::format("{} the journal failed: {}", doing, std::strerror(-error)),
                    "the user must be in the group systemd-journal");
}

// KEY=value, or KEY, the length in eight bytes and the value where it holds a newline.
void append_field(std::string& out, std::string_view field) {
  const std::size_t equals = field.find('=');
  if (equals == std::string_view::npos) return;
  if (field.find('\n') == std::string_view::npos) {
    out.append(field).push_back('\n');
    return;
  }
  const std::string_view value = field.substr(equals + 1);
  out.append(field.substr(0, equals)).push_back('\n');
  for (int i = 0; i < 8; ++i) out += static_cast<char>(std::uint64_t{value.size()} >> (8 * i) & 0xff);
  out.append(value).push_back('\n');
}

class JournalSource final : public LiveSource {
 public:
  explicit JournalSource(Journal journal) : LiveSource("journal"), journal_(std::move(journal)) {}

  int fd() const override { return sd_journal_get_fd(journal_.get()); }

  Result<Next> next(LiveFrame& frame) override {
    if (!positioned_) begin_now();
    if (std::exchange(on_unread_, false)) return give(frame);
    const int moved = sd_journal_next(journal_.get());
    if (moved < 0) return failed("reading", moved);
    if (moved == 0) {
      sd_journal_process(journal_.get());  // takes the wake-up; new entries show with the next sd_journal_next
      return sd_journal_next(journal_.get()) > 0 ? give(frame) : Result<Next>(Next::nothing);
    }
    return give(frame);
  }

  std::optional<LivePosition> position() const override {
    if (!positioned_) return std::nullopt;
    return LivePosition{{}, 0, cursor_};
  }

  Status resume(const LivePosition& position) override {
    cursor_ = position.extra;
    positioned_ = true;
    if (cursor_.empty()) {  // the journal was empty when we began
      sd_journal_seek_head(journal_.get());
      return {};
    }
    if (const int error = sd_journal_seek_cursor(journal_.get(), cursor_.c_str()); error < 0) return failed("going on in", error);
    // The seek ends before the entry, or before the next one if that entry is gone: then we stand on what was not read yet, and
    // going back from the journal's first entry is not possible.
    if (sd_journal_next(journal_.get()) > 0 && sd_journal_test_cursor(journal_.get(), cursor_.c_str()) <= 0) {
      on_unread_ = true;
      return make_error("E207", "the journal entry up to which was read is gone", "some entries may have been vacuumed unread");
    }
    return {};
  }

 private:
  // Nothing to go on from: what is written from now on. Where we stand is known at once, so that what is written while we are
  // away is read later, also if nothing was read before.
  void begin_now() {
    positioned_ = true;
    sd_journal_seek_tail(journal_.get());
    if (sd_journal_previous(journal_.get()) > 0) {
      remember_cursor();
    } else {
      sd_journal_seek_head(journal_.get());  // empty: from the tail of nothing no entry would ever be found
    }
  }

  bool remember_cursor() {
    char* cursor = nullptr;
    if (sd_journal_get_cursor(journal_.get(), &cursor) < 0) return false;
    cursor_ = cursor;
    std::free(cursor);
    return true;
  }

  Result<Next> give(LiveFrame& frame) {
    if (!remember_cursor()) return Next::nothing;
    std::uint64_t realtime = 0;
    sd_journal_get_realtime_usec(journal_.get(), &realtime);
    entry_ = fmt::format("__CURSOR={}\n__REALTIME_TIMESTAMP={}\n", cursor_, realtime);
    const void* data = nullptr;
    std::size_t size = 0;
    SD_JOURNAL_FOREACH_DATA(journal_.get(), data, size) {
      append_field(entry_, std::string_view(static_cast<const char*>(data), size));
    }
    frame = {};
    frame.bytes = entry_;
    frame.id = cursor_;
    frame.arrival = Timestamp{static_cast<std::int64_t>(realtime)};
    return Next::frame;
  }

  Journal journal_;
  std::string cursor_, entry_;
  bool positioned_ = false;
  bool on_unread_ = false;  // the library's place is an entry that is to be given next
};

}  // namespace

Result<std::unique_ptr<LiveSource>> journal_source(const std::filesystem::path& directory) {
  sd_journal* opened = nullptr;
  const int error = directory.empty() ? sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY)
                                      : sd_journal_open_directory(&opened, directory.c_str(), 0);
  if (error < 0) return failed("opening", error);
  Journal journal(opened);
  // Entries longer than this are cut by the library: a frame is at most 1 MiB anyway.
  sd_journal_set_data_threshold(journal.get(), std::size_t{1} << 20);
  if (const int fd = sd_journal_get_fd(journal.get()); fd < 0) return failed("watching", fd);
  return std::unique_ptr<LiveSource>(new JournalSource(std::move(journal)));
}

}  // namespace correlator::input

#else

namespace correlator::input {

Result<std::unique_ptr<LiveSource>> journal_source(const std::filesystem::path&) {
  return make_error("E209", "this correlator was built without the journal", "build it where libsystemd-dev is installed");
}

}  // namespace correlator::input

#endif
