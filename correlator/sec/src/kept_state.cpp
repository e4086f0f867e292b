// SPDX-License-Identifier: Apache-2.0
#include "sec/kept_state.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <map>

#include "base/json.h"
#include "host/socket.h"

namespace correlator::sec {
namespace {

using engine::Effect;

std::string packed(const Effect& effect) {
  std::string out;
  Json::to_cbor({{"kind", static_cast<int>(effect.kind)}, {"target", effect.target}, {"text", effect.text}, {"command", effect.command}, {"words", effect.words},
                 {"number", effect.number}, {"feeds", effect.feeds}, {"spawns", effect.spawns}}, out);
  return out;
}

Effect unpacked(const std::string& bytes) {
  Effect out;
  try {
    const Json json = Json::from_cbor(bytes);
    out.kind = static_cast<Effect::Kind>(json.at("kind").get<int>());
    out.target = json.at("target");
    out.text = json.at("text");
    out.command = json.at("command");
    out.words = json.at("words").get<std::vector<std::string>>();
    out.number = json.at("number");
    out.feeds = json.at("feeds");
    out.spawns = json.at("spawns");
  } catch (const Json::exception&) {
    out = {};
    out.number = 2;
    out.text = "an effect of the last run is damaged, and is not carried out";
  }
  return out;
}

bool writes(const Effect& effect) { return effect.kind == Effect::Kind::out || effect.kind == Effect::Kind::file || effect.kind == Effect::Kind::file_once; }

constexpr const char* kOutput = "-";
std::string target_of(const Effect& effect) { return effect.kind == Effect::Kind::out ? kOutput : effect.target; }

// How long a regular file is; 0 for one that is not there yet, -1 for what is none.
std::int64_t length_of(const std::string& target) {
  struct stat info {};
  const int failed = target == kOutput ? ::fstat(STDOUT_FILENO, &info) : ::stat(target.c_str(), &info);
  if (failed != 0) return target == kOutput ? -1 : 0;
  return S_ISREG(info.st_mode) ? static_cast<std::int64_t>(info.st_size) : -1;
}

// What stands in the file behind the first `length` bytes.
std::string text_behind(const std::string& target, std::int64_t length) {
  std::string out;
  const host::Descriptor file(::open(target == kOutput ? "/proc/self/fd/1" : target.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file || length < 0 || length_of(target) <= length) return out;
  std::array<char, 65536> buffer;
  for (off_t at = length;;) {
    const ssize_t n = ::pread(file.get(), buffer.data(), buffer.size(), at);
    if (n <= 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(n));
    at += n;
  }
}

}  // namespace

Result<KeptState> KeptState::open(const std::filesystem::path& dir) {
  auto db = store::ProcedureDb::open(dir);
  if (!db) return db.error();
  KeptState out(std::move(*db));
  auto before = out.db_.load();
  if (!before) return before.error();
  out.before_ = std::move(*before);
  return out;
}

void KeptState::bring_back(engine::Procedure& engine, std::vector<std::string>& dropped) const {
  std::vector<engine::SavedRow> rows;
  for (const store::ProcedureRow& row : before_.rows) rows.push_back({row.name, row.body, false});
  engine.restore(rows, dropped);
}

const store::Cursor* KeptState::cursor(std::string_view stream) const {
  for (const store::Cursor& c : before_.cursors) {
    if (c.stream == stream) return &c;
  }
  return nullptr;
}

engine::Effects KeptState::waiting() const {
  engine::Effects out;
  std::map<std::string, std::string> there;
  for (const store::WaitingEffect& waiting : before_.effects) {
    Effect effect = unpacked(waiting.body);
    if (writes(effect)) {
      auto found = there.find(waiting.target);
      if (found == there.end()) found = there.emplace(waiting.target, text_behind(waiting.target, waiting.length)).first;
      std::string& stands = found->second;
      const std::size_t same = std::min(stands.size(), effect.text.size());
      if (stands.compare(0, same, effect.text, 0, same) == 0) {
        effect.text.erase(0, same);
        stands.erase(0, same);
      } else {
        stands.clear();  // somebody else wrote there, too
      }
      if (effect.text.empty()) continue;
    }
    out.push_back(std::move(effect));
  }
  return out;
}

Status KeptState::commit(const engine::Procedure& engine, std::vector<store::Cursor> cursors, const engine::Effects& effects) {
  store::ProcedureBatch batch;
  for (engine::SavedRow& row : engine.save(all_)) batch.rows.push_back({std::move(row.key), std::move(row.body), row.same});
  batch.cursors = std::move(cursors);
  std::map<std::string, std::int64_t> lengths;
  for (const Effect& effect : effects) {
    store::WaitingEffect waiting{packed(effect), {}, -1};
    if (writes(effect)) {
      waiting.target = target_of(effect);
      const auto [found, fresh] = lengths.try_emplace(waiting.target, -1);
      if (fresh) found->second = length_of(waiting.target);
      waiting.length = found->second;
    }
    batch.effects.push_back(std::move(waiting));
  }
  batch.sync = !effects.empty();
  Status written = db_.commit(batch);
  all_ = !written.ok();
  return written;
}

}  // namespace correlator::sec
