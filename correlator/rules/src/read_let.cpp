// SPDX-License-Identifier: Apache-2.0
// Computed fields, in the order in which they depend on each other.
#include <fmt/format.h>

#include <algorithm>

#include "readers.h"

namespace correlator::rules {
namespace {

// Depth-first order; a let that needs itself through others is a cycle.
class Order {
 public:
  Order(Context& context, const Node& table) : context_(context), table_(table) {}

  bool circle() const { return circle_; }
  std::vector<const Entry*> run() {
    for (const Entry& entry : table_.entries) visit(entry);
    return std::move(order_);
  }

 private:
  void visit(const Entry& entry) {
    if (std::find(done_.begin(), done_.end(), &entry) != done_.end()) return;
    path_.push_back(&entry);
    done_.push_back(&entry);
    const auto needed =
        entry.value.is(Node::Kind::text) ? identifiers(entry.value.text) : std::vector<std::string>{};
    for (const std::string& name : needed) {
      const Entry* other = table_.find(name);
      if (!other || other == &entry) continue;  // its own name is the capture it normalises
      if (std::find(path_.begin(), path_.end(), other) == path_.end()) {
        visit(*other);
      } else {
        circle_ = true;
        context_.error("E032", entry.value.spot,
                       fmt::format("`{}` and `{}` are computed from each other", entry.key, other->key),
                       "compute one of them from captures alone");
      }
    }
    path_.pop_back();
    order_.push_back(&entry);
  }

  Context& context_;
  const Node& table_;
  std::vector<const Entry*> path_, done_, order_;
  bool circle_ = false;
};

void check_severity(Context& context, const Node& node) {
  const auto texts = possible_texts(node.text, {}, context);
  if (!texts) return;
  for (const std::string& text : *texts) {
    if (parse_severity(text)) continue;
    context.error("E022", node.spot, fmt::format("\"{}\" is no severity", text),
                  "the severities are: corrected, deferred, recoverable, uncorrected, fatal, info");
    return;
  }
}

std::optional<FieldType> field_type(expr::Type type) {
  for (FieldType one : {FieldType::text, FieldType::integer, FieldType::boolean, FieldType::duration,
                        FieldType::time, FieldType::list}) {
    if (type_of(one) == type) return one;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Let> read_lets(Context& context, const Node& table, LetScope scope,
                           const std::function<std::optional<FieldType>(const std::string&)>& declared) {
  std::vector<Let> out;
  Order order(context, table);
  const std::vector<const Entry*> entries = order.run();
  if (order.circle()) scope.scope.lenient = true;
  for (const Entry* entry : entries) {
    const bool named = check_name(context, entry->key, entry->spot, "field");
    if (!accepts(Shape::expression, entry->value)) {
      context.error("E004", entry->value.spot,
                    fmt::format("`{}` must be an expression, not {}", entry->key, described(entry->value)),
                    "write \"…\"");
      scope.scope.lenient = true;
      continue;
    }
    const FieldId id = context.field(entry->key);
    if (id == kText || id == kTime || id == kClass || id == kWeight || id == kHost) {
      context.error("E038", entry->spot,
                    fmt::format("`{}` cannot be computed: every event has it already", entry->key),
                    "give it another name");
      scope.scope.lenient = true;
      continue;
    }
    auto value = named ? context.expression(entry->value, scope.scope, scope.guard) : std::nullopt;
    if (!value) {  // who uses it makes no further noise
      scope.scope.remove(entry->key);
      scope.scope.lenient = true;
      continue;
    }
    const auto want = declared(entry->key);
    if (want && !fits(value->type(), *want)) {
      context.error(
          "E020", entry->value.spot,
          fmt::format("`{}` is declared as {} and computed as {}", entry->key, to_string(*want),
                      expr::type_name(value->type())),
          *want == FieldType::text ? "write text(…) around it" : "convert it, e.g. int(…) or hex(…)");
    }
    if (id == kSeverity) check_severity(context, entry->value);
    const FieldType type = want ? *want : field_type(value->type()).value_or(FieldType::text);
    scope.scope.field(entry->key, id, want ? type_of(*want) : value->type(), value->optional());
    out.push_back({id, std::move(*value), type});
  }
  return out;
}

}  // namespace correlator::rules
