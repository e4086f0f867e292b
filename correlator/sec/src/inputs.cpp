// SPDX-License-Identifier: Apache-2.0
// All inputs together.
#include "inputs.h"

#include <algorithm>

#include "program.h"

namespace correlator::sec {
namespace {

constexpr std::string_view kAdded = "added ";  // of an input that a rule added; its context stands behind

Diagnostic not_there_any_more(const std::string& name, bool opened) {
  Diagnostic out = make_error("E201", "the input " + name + " is not the file that was read before" + (opened ? ", and is read from its start" : ", and cannot be opened"),
                              "lines behind that place, if there were some, are in another file now");
  out.gravity = Gravity::warning;
  return out;
}

struct Named {
  std::string name, context;
};

// What the globs of the command line mean now. A later one for the same file overrides its context.
std::vector<Named> named_inputs(const Options& options) {
  std::vector<Named> out;
  for (const std::string& given : options.input) {
    const InputOption option = input_option(given);
    for (const std::string& name : expand_glob(option.glob)) {
      std::string context = option.context;
      if (context.empty() && options.internal_contexts) context = "_FILE_EVENT_" + name;
      const auto same = std::find_if(out.begin(), out.end(), [&](const Named& n) { return n.name == name; });
      if (same != out.end()) same->context = context;
      else out.push_back({name, context});
    }
  }
  return out;
}

}  // namespace

void Inputs::open_all(Diagnostics& troubles, const std::vector<store::Cursor>& places) {
  for (const Named& named : named_inputs(options_)) {
    const bool known = std::any_of(inputs_.begin(), inputs_.end(), [&](const auto& input) { return input->name() == named.name; });
    if (known) continue;
    auto input = std::make_unique<Input>(named.name, named.context, options_, clock_);
    const auto place = std::find_if(places.begin(), places.end(), [&](const store::Cursor& c) { return c.stream == named.name; });
    if (place != places.end()) {
      if (!input->resume(*place)) troubles.push_back(not_there_any_more(named.name, input->is_open()));
    } else if (!input->open(options_.from_start || !options_.tail ? 0 : -1)) {
      Diagnostic d = make_error("E201", "the input " + named.name + " cannot be opened",
                                options_.reopen_timeout > 0 ? "it is tried again" : "--reopen-timeout=SECONDS tries again");
      d.gravity = Gravity::warning;
      troubles.push_back(std::move(d));
    }
    inputs_.push_back(std::move(input));
  }
  for (const store::Cursor& place : places) {
    const bool known = std::any_of(inputs_.begin(), inputs_.end(), [&](const auto& input) { return input->name() == place.stream; });
    if (known || !place.extra.starts_with(kAdded)) continue;
    inputs_.push_back(std::make_unique<Input>(place.stream, place.extra.substr(kAdded.size()), options_, clock_));
    inputs_.back()->dynamic = true;
    if (!inputs_.back()->resume(place)) troubles.push_back(not_there_any_more(place.stream, inputs_.back()->is_open()));
  }
  std::sort(inputs_.begin(), inputs_.end(), [](const auto& a, const auto& b) { return a->name() < b->name(); });
}

void Inputs::renew(Reopen how) {
  const std::vector<Named> named = named_inputs(options_);
  const auto name_of = [&](const Input& input) {
    return std::find_if(named.begin(), named.end(), [&](const Named& n) { return n.name == input.name(); });
  };
  std::erase_if(inputs_, [&](const auto& input) { return !input->dynamic && name_of(*input) == named.end(); });
  for (const auto& input : inputs_) {
    if (const auto found = name_of(*input); found != named.end()) input->context = found->context;
    if (input->is_timeline()) continue;
    if (how == Reopen::all_at_end) {
      input->close();
      input->open(options_.from_start ? 0 : -1);
    } else if (!input->is_open()) {
      input->open(input->comes_back_at());
    } else if (how == Reopen::all) {
      input->reopen();
    }
  }
  Diagnostics ignored;
  open_all(ignored);
}

void Inputs::try_again(Input& input) {
  if (options_.reopen_timeout == 0 || clock_.now() - input.tried < options_.reopen_timeout) return;
  input.open(input.comes_back_at());
}

Input::Next Inputs::next(InputLine& line, const pattern::PatternSet* filter, bool skipping, std::uint64_t& passed) {
  const bool alone = inputs_.size() == 1;
  for (std::size_t tries = 0; tries < inputs_.size(); ++tries) {
    if (turn_ >= inputs_.size()) turn_ = 0;
    Input& input = *inputs_[turn_++];
    if (!input.is_open()) {
      try_again(input);
      if (!input.is_open()) continue;
    }
    if (options_.check_timeout > 0 && input.checked != 0 && clock_.now() - input.checked < options_.check_timeout) continue;
    const Input::Next got = input.next(line, filter, skipping && alone, passed);
    if (got == Input::Next::line) {
      input.checked = 0;
      if (input.told_silent) silences_.emplace_back(input.name(), false);
      input.told_silent = false;
      return got;
    }
    if (got == Input::Next::nothing) input.checked = clock_.now();
  }
  return all_closed() ? Input::Next::end : Input::Next::nothing;
}

bool Inputs::all_closed() const {
  return std::none_of(inputs_.begin(), inputs_.end(), [](const auto& input) { return input->is_open(); });
}

bool Inputs::add(const std::string& name, std::int64_t offset, const std::string& context) {
  for (const auto& input : inputs_) {
    if (input->name() == name) return false;
  }
  auto input = std::make_unique<Input>(name, options_.internal_contexts ? context : std::string(), options_, clock_);
  input->dynamic = true;
  const bool opened = input->open(offset);
  const auto at = std::find_if(inputs_.begin(), inputs_.end(), [&](const auto& other) { return other->name() > name; });
  inputs_.insert(at, std::move(input));
  return opened;
}

bool Inputs::drop(const std::string& name) {
  const auto at = std::find_if(inputs_.begin(), inputs_.end(), [&](const auto& input) { return input->name() == name && input->dynamic; });
  if (at == inputs_.end()) return false;
  inputs_.erase(at);
  return true;
}

std::vector<std::pair<std::string, bool>> Inputs::silences() {
  std::vector<std::pair<std::string, bool>> out = std::move(silences_);
  silences_.clear();
  if (options_.input_timeout == 0) return {};
  for (const auto& input : inputs_) {
    if (input->told_silent || clock_.now() - input->heard < options_.input_timeout) continue;
    input->told_silent = true;
    out.emplace_back(input->name(), true);
  }
  return out;
}

std::optional<std::int64_t> Inputs::next_second() const {
  for (const auto& input : inputs_) {
    if (const auto second = input->next_second()) return second;
  }
  return std::nullopt;
}

}  // namespace correlator::sec
