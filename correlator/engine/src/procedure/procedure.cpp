// SPDX-License-Identifier: Apache-2.0
// Lines in, walks through the files.
#include "engine/procedure.h"

#include <algorithm>

#include "core.h"

namespace correlator::engine {

Procedure::Core::Core(std::shared_ptr<const rules::procedure::ProcedureProgram> first, const Options& given) : options(given) { adopt(std::move(first)); }

// Files that stay the same object keep what is going on in them.
void Procedure::Core::adopt(std::shared_ptr<const rules::procedure::ProcedureProgram> next) {
  program = std::move(next);
  std::vector<std::shared_ptr<FileState>> before = std::move(files);
  files.clear();
  sets.clear();
  calendars.clear();
  filter = Filter();
  for (const auto& file : program->files) {
    const auto same = std::find_if(before.begin(), before.end(), [&](const auto& run) { return run != nullptr && run->file == file; });
    std::shared_ptr<FileState> run;
    if (same != before.end()) {
      run = std::move(*same);
    } else {
      run = std::make_shared<FileState>();
      run->file = file;
      for (const rules::procedure::ProcedureRule& rule : file->rules) {
        run->rules.push_back(std::make_unique<RuleState>());
        run->rules.back()->rule = &rule;
        run->rules.back()->file = run.get();
      }
    }
    for (const auto& rule : run->rules) {
      rule->filters = filter.add(*rule->rule);
      if (rule->rule->type == rules::procedure::RuleType::calendar) calendars.push_back(rule.get());
    }
    for (const std::string& set : file->sets) sets[set].push_back(run);
    files.push_back(std::move(run));
  }
  filter.build(options.prefilter);
  buffers.resize(options.buffer_lines > 0 ? options.buffer_lines : rules::procedure::widest_pattern(*program), options.joint_buffer);
  // Operations of files that went end without a word.
  for (const auto& gone : before) {
    if (gone == nullptr) continue;
    for (const auto& rule : gone->rules) {
      const auto open = rule->open;
      for (const auto& [description, op] : open) close(*op);
    }
  }
}

void Procedure::Core::say(int level, std::string text) {
  if (!says(level)) return;
  Effect& said = effect(Effect::Kind::say);
  said.number = level;
  said.text = std::move(text);
}

Effect& Procedure::Core::effect(Effect::Kind kind) {
  effects->emplace_back();
  effects->back().kind = kind;
  return effects->back();
}

void Procedure::Core::walk_all(const Procedure::Input& input, bool synthetic) {
  ++lines;
  if (!cache->empty()) {
    if (cache.use_count() > 1) cache = std::make_shared<MatchCache>();
    else cache->clear();
  }
  buffers.add(synthetic ? std::string_view("synthetic") : input.source, input.text);
  filter.begin(input.text, input.candidates);
  add_line_context(input.context);
  for (const auto& file : std::vector<std::shared_ptr<FileState>>(files)) {
    if (file->file->sees_input && walk(file) == Walk::end) break;
  }
  drop_line_context();
}

Walk Procedure::Core::walk(const std::shared_ptr<FileState>& file) {
  using How = rules::procedure::Continue::How;
  for (std::size_t i = 0; i < file->rules.size();) {
    Walk walked = Walk::on;
    const auto then = options.cpu_time == nullptr ? meet(file, *file->rules[i], walked) : meet_measured(file, *file->rules[i], walked);
    if (walked == Walk::end) return Walk::end;
    if (!then || then->how == How::next) ++i;
    else if (then->how == How::jump) i = then->target;
    else if (then->how == How::end) return Walk::end;
    else return Walk::on;
  }
  return Walk::on;
}

Procedure::Procedure(std::shared_ptr<const rules::procedure::ProcedureProgram> program, const Options& options)
    : core_(std::make_unique<Core>(std::move(program), options)) {}
Procedure::Procedure(Procedure&&) noexcept = default;
Procedure::~Procedure() = default;

namespace {

struct Step {
  Step(Procedure::Core& core, std::int64_t now, Effects& effects) : core_(core) {
    core.now = now;
    core.effects = &effects;
  }
  ~Step() { core_.effects = nullptr; }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;
  Procedure::Core& core_;
};

}  // namespace

std::optional<std::int64_t> Procedure::next_due() const { return core_->next_due(); }

void Procedure::sweep(std::int64_t now, Effects& effects) {
  const Step step(*core_, now, effects);
  core_->sweep();
}

void Procedure::line(std::int64_t now, const Input& input, Effects& effects) {
  const Step step(*core_, now, effects);
  core_->walk_all(input, false);
}

bool Procedure::has_queued() const { return !core_->queued.empty(); }

void Procedure::next_queued(std::int64_t now, Effects& effects) {
  if (core_->queued.empty()) return;
  const Step step(*core_, now, effects);
  const QueuedEvent event = std::move(core_->queued.front());
  core_->queued.pop_front();
  const std::string_view context = !core_->options.internal_contexts ? std::string_view() : event.context.empty() ? "_INTERNAL_EVENT" : std::string_view(event.context);
  core_->walk_all({"synthetic", context, event.text}, true);
}

void Procedure::queue(std::string_view text, std::string_view context) { core_->queued.push_back({std::string(text), std::string(context)}); }

void Procedure::internal_event(std::int64_t now, std::string_view text, std::string_view context, Effects& effects) {
  const Step step(*core_, now, effects);
  core_->walk_all({"synthetic", context, text}, true);
}

void Procedure::script_ended(std::int64_t now, std::int64_t ticket, bool success, Effects& effects) {
  const auto found = core_->scripts.find(ticket);
  if (found == core_->scripts.end()) return;
  const Step step(*core_, now, effects);
  const auto [waiting, otherwise] = std::move(found->second);
  core_->scripts.erase(found);
  const rules::procedure::ActionListPtr& list = success ? waiting.list : otherwise;
  if (list != nullptr) core_->run(list, waiting.setting);
}

void Procedure::replace(std::shared_ptr<const rules::procedure::ProcedureProgram> program, std::int64_t now, const Options& options) {
  Effects nothing;
  core_->options = options;
  const Step step(*core_, now, nothing);
  core_->adopt(std::move(program));
}

std::int64_t Procedure::now() const { return core_->now; }
void Procedure::set_log_level(int level) { core_->options.log_level = level; }

const pattern::PatternSet* Procedure::filter() const { return core_->filter.set(); }
bool Procedure::asks_every_line() const { return core_->filter.set() == nullptr || core_->filter.asks_every_line(); }
std::uint32_t Procedure::buffer_lines() const { return core_->buffers.lines(); }
void Procedure::passed(std::uint64_t lines) { core_->lines += lines; }

}  // namespace correlator::engine
