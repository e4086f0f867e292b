// SPDX-License-Identifier: Apache-2.0
// Action lists at work: order, branches, variables, events.
#include "core.h"
#include "parameters.h"

namespace correlator::engine {

using rules::procedure::Action;
using rules::procedure::Verb;

namespace {

// A loop of a rule file that does not end would stop everything.
constexpr int kTurns = 10'000'000;

// As one word of the shell.
std::string single_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += "'\\''";
    else out += c;
  }
  return out + "'";
}

}  // namespace

Flow Procedure::Core::run(const rules::procedure::ActionListPtr& list, const Setting& setting) {
  if (list == nullptr) return Flow::done;
  for (const Action& action : list->actions) {
    const Flow flow = act(action, setting);
    if (flow != Flow::done) return flow;
  }
  return Flow::done;
}

bool Procedure::Core::truth(const std::string& variable) const {
  const auto found = variables.find(variable);
  return found != variables.end() && (found->second.function || (!found->second.value.empty() && found->second.value != "0"));
}

void Procedure::Core::assign(const std::string& name, std::string value, bool from_log) {
  if (says(6)) say(6, "variable %" + name + " is now '" + value + "'");
  variables[name] = {std::move(value), from_log, {}};
}

void Procedure::Core::make_event(const std::string& text, const std::string& context, Second delay) {
  for (std::string& line : lines_of(text)) {
    if (delay == 0) queued.push_back({std::move(line), context});
    else delayed.emplace(now + delay, QueuedEvent{std::move(line), context});
  }
}

Flow Procedure::Core::act(const Action& action, const Setting& setting) {
  if (says(5)) tell(action, setting);
  switch (action.verb) {
    case Verb::none: return Flow::done;
    case Verb::leave: return Flow::left;
    case Verb::again: return Flow::again;
    case Verb::when: return run(truth(action.variable) ? action.list : action.otherwise, setting);
    case Verb::loop:
      for (int turn = 0; truth(action.variable); ++turn) {
        if (turn == kTurns) {
          say(2, "a while of a rule in " + action.place.file + " line " + std::to_string(action.place.line) + " goes on for ever, and was left");
          break;
        }
        if (run(action.list, setting) == Flow::left) break;
      }
      return Flow::done;
    case Verb::create: case Verb::destroy: case Verb::obsolete: case Verb::set: case Verb::alias: case Verb::unalias: case Verb::add:
    case Verb::prepend: case Verb::fill: case Verb::copy: case Verb::empty: case Verb::pop: case Verb::shift: case Verb::trim:
    case Verb::exists: case Verb::getsize: case Verb::getaliases: case Verb::getltime: case Verb::setltime: case Verb::getctime:
    case Verb::setctime:
      act_on_store(action, setting);
      return Flow::done;
    case Verb::reset: case Verb::getwpos: case Verb::setwpos:
      act_on_operation(action, setting);
      return Flow::done;
    case Verb::eval: case Verb::call: case Verb::lcall:
      act_with_code(action, setting);
      return Flow::done;
    case Verb::event:
      make_event(text_or_description(action.text, setting).value, {}, action.number);
      return Flow::done;
    case Verb::tevent: case Verb::cevent: {
      const bool named = action.verb == Verb::cevent;
      const std::string delay = word(action, named ? 1 : 0, setting);
      if (const auto seconds = whole_number(delay)) make_event(text_or_description(action.text, setting).value, named ? word(action, 0, setting) : std::string(), *seconds);
      else say(3, "an event cannot be made after '" + delay + "', which is no number of seconds");
      return Flow::done;
    }
    case Verb::assign: {
      Text value = text_or_description(action.text, setting);
      assign(action.variable, std::move(value.value), value.from_log);
      return Flow::done;
    }
    case Verb::assignsq:  // the rule has seen to it itself
      assign(action.variable, single_quoted(text_or_description(action.text, setting).value), false);
      return Flow::done;
    case Verb::free: variables.erase(action.variable); return Flow::done;
    case Verb::varset: assign(action.variable, cache->contains(word(action, 0, setting)) ? "1" : "0", false); return Flow::done;
    case Verb::rewrite: {
      const std::string given = word(action, 0, setting);
      const auto n = whole_number(given);
      if (!n) {
        say(3, "the input buffer cannot be rewritten: '" + given + "' is no number of lines");
        return Flow::done;
      }
      buffers.rewrite(static_cast<std::uint32_t>(std::min<Second>(*n, 1'000'000'000)), lines_of(text_or_description(action.text, setting).value));
      filter.forget();
      return Flow::done;
    }
    default: act_on_world(action, setting); return Flow::done;
  }
}

void Procedure::Core::act_on_operation(const Action& action, const Setting& setting) {
  const std::string description = text_or_description(action.text, setting).value;
  if (action.verb == Verb::reset) return reset(setting, action, description);
  const OperationPtr op = named(setting, action, description);
  if (op == nullptr) return say(4, "there is no operation with the description '" + description + "'");
  if (action.verb == Verb::getwpos) return assign(action.variable, std::to_string(op->start), false);
  const std::string to = word(action, 0, setting);
  if (const auto time = whole_number(to)) move_window(op, *time);
  else say(3, "a window cannot be moved to '" + to + "', which is no time");
}

void Procedure::Core::act_with_code(const Action& action, const Setting& setting) {
  std::vector<std::string> texts;
  for (std::size_t i = action.verb == Verb::call ? 1 : 0; i < action.words.size(); ++i) texts.push_back(word(action, i, setting));
  const Parameters parameters(*this, std::move(texts), action.by_entry, action.test == nullptr);
  if (action.test != nullptr) return assign(action.variable, action.test->evaluate(parameters).value_or(""), true);
  if (options.scripts == nullptr) return;
  ScriptResult result;
  const std::vector<ScriptArgument> arguments = parameters.arguments();
  if (action.verb == Verb::eval) {
    std::vector<std::string> values;
    const std::string source = code(action.text.value_or(""), setting, true, values);
    result = options.scripts->evaluate(source, values, true);
  } else if (action.verb == Verb::call) {
    const auto function = variables.find(action.words.front());
    if (function == variables.end() || !function->second.function) return say(3, "%" + action.words.front() + " is no function");
    result = options.scripts->call(*function->second.function, arguments, true);
  } else {
    result = options.scripts->call(action.code->number, arguments, true);
  }
  if (result.failed) return say(2, "code of an action failed: " + result.error);
  std::string joined;
  for (std::size_t i = 0; i < result.values.size(); ++i) joined += (i > 0 ? "\n" : "") + result.values[i].value_or("");
  assign(action.variable, std::move(joined), true);
  if (action.verb == Verb::eval) variables[action.variable].function = result.function;  // of the others it is text, and cannot be called
}

}  // namespace correlator::engine
