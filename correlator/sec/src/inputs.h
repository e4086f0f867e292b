// SPDX-License-Identifier: Apache-2.0
// Inputs: files that grow and are rotated, FIFOs, standard input; one line of each in turn.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "host/socket.h"
#include "pattern/pattern_set.h"
#include "sec/options.h"
#include "store/engine_db.h"

namespace correlator::sec {

class Clock {
 public:
  // A timeline begins where the shim of the differential tests begins, or at SEC_VT_BASE.
  explicit Clock(bool timeline);
  bool is_timeline() const { return timeline_; }
  std::int64_t now() const;
  std::int64_t start() const { return start_; }
  void set(std::int64_t now) { now_ = now; }

 private:
  bool timeline_;
  std::int64_t start_ = 0, now_ = 0;
};

struct InputLine {
  std::string_view text;
  std::string_view source;
  std::string_view context;
  const std::vector<std::uint32_t>* candidates = nullptr;
};

class Input {
 public:
  enum class Next { line, nothing, end };

  Input(std::string name, std::string context, const Options& options, const Clock& clock);

  // Where it stands, for the next run; nothing for what has no place (a FIFO, a pipe).
  std::optional<store::Cursor> cursor() const;
  // Goes on where an earlier run stood. Under another name, which a rotation gave it, it is read to its end first. False if that
  // place is not there any more: then it is opened at its start.
  bool resume(const store::Cursor& cursor);

  // Opens it; `offset` -1 is its end. False if it cannot be opened now.
  bool open(std::int64_t offset);
  void close();
  // Closes it and opens it again, with what was read of it. A regular file goes on where it is, and is read to its end where
  // another one has its name now.
  bool reopen();
  // Where it is opened when it is found again: one that was not there when we began is new from its first line on.
  std::int64_t comes_back_at() const { return was_there && !options_.from_start && options_.tail ? -1 : 0; }
  bool is_open() const { return fd_ || timeline_; }
  bool is_timeline() const { return name_ == "-" && clock_.is_timeline(); }
  // Passes over lines without a candidate where `skipping`; `passed` counts them.
  Next next(InputLine& line, const pattern::PatternSet* filter, bool skipping, std::uint64_t& passed);
  // The rules changed: what was found for the old ones means nothing.
  void forget_scan() { scanned_by_ = nullptr; }
  // The second in which a timeline goes on; nothing for other inputs.
  std::optional<std::int64_t> next_second() const;

  const std::string& name() const { return name_; }
  std::string context;
  bool dynamic = false;           // added by a rule
  std::int64_t tried = 0;         // when it was last tried to be opened
  std::int64_t heard = 0;         // when the last line came
  std::int64_t checked = 0;       // when it was last found without a line
  bool told_silent = false;
  bool was_there = false;
  std::uint64_t lines = 0;
  int fd() const { return fd_.get(); }
  bool is_fifo() const { return S_ISFIFO(info_.st_mode); }
  const struct stat& info() const { return info_; }

 private:
  bool take(InputLine& line, const pattern::PatternSet* filter, bool skipping, std::uint64_t& passed);
  bool take_partial(InputLine& line);
  bool take_timeline(InputLine& line);
  bool read_more();
  bool switched();
  bool open_renamed(const store::Cursor& cursor);
  void read_timeline();
  void give(InputLine& line, std::string_view text);
  void rescan(const pattern::PatternSet& filter);

  std::string name_;
  const Options& options_;
  const Clock& clock_;
  host::Descriptor fd_;
  struct stat info_ {};
  std::uint64_t offset_ = 0;      // read so far of a regular file
  std::string data_;              // what was read and not given
  std::size_t begin_ = 0;
  bool ended_ = false;            // a partial line is one now
  std::optional<store::Cursor> left_;  // where it stood when it was closed
  bool renamed_ = false;          // this is the rest of a file that has another name now
  bool timeline_ = false;
  std::size_t scanned_ = 0;       // hits are known up to here
  const pattern::PatternSet* scanned_by_ = nullptr;
  std::vector<pattern::Hit> hits_;
  std::size_t hit_ = 0;
  pattern::PatternSet::Scratch scratch_;
  std::vector<std::uint32_t> candidates_;
};

// All inputs, sorted by name; one line of each in turn.
class Inputs {
 public:
  Inputs(const Options& options, const Clock& clock) : options_(options), clock_(clock) {}

  // Those that `places` knows go on there.
  void open_all(Diagnostics& troubles, const std::vector<store::Cursor>& places = {});
  std::vector<store::Cursor> cursors() const;
  // What the globs mean now: inputs that they name no longer go, new ones come, closed ones are tried; others are reopened as said.
  enum class Reopen { closed, all, all_at_end };
  void renew(Reopen how);
  Input::Next next(InputLine& line, const pattern::PatternSet* filter, bool skipping, std::uint64_t& passed);
  bool all_closed() const;
  void forget_scans() {
    for (const auto& input : inputs_) input->forget_scan();
  }
  bool any_ever() const { return !inputs_.empty(); }
  bool add(const std::string& name, std::int64_t offset, const std::string& context);
  bool drop(const std::string& name);
  // Inputs that fell silent (true) or spoke again (false) since.
  std::vector<std::pair<std::string, bool>> silences();
  std::optional<std::int64_t> next_second() const;
  const std::vector<std::unique_ptr<Input>>& all() const { return inputs_; }

 private:
  void try_again(Input& input);

  const Options& options_;
  const Clock& clock_;
  std::vector<std::unique_ptr<Input>> inputs_;
  std::size_t turn_ = 0;
  std::vector<std::pair<std::string, bool>> silences_;
};

}  // namespace correlator::sec
