#include "behaviour/operators.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <limits>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/utf8.h"
#include "fixtures/field_rules.h"
#include "ocp/instant.h"

namespace ocp_mock {
namespace {

const Resource& resource_of(const JsonValue& name, Scope& scope) {
  return named_resource(scope.edit().catalogue(), name.text);
}

const JsonValue& need(const JsonValue& form, std::string_view key) {
  if (const JsonMember* member = form.find(key)) return member->value;
  throw RowRefused(fmt::format("an operator has no {}", key));
}

JsonValue array_of(const JsonValue& form, Scope& scope) {
  auto value = evaluate(form, scope);
  if (!value) return json_array();
  if (value->kind == JsonKind::Array) return *std::move(value);
  JsonValue one = json_array();
  one.items.push_back(*std::move(value));
  return one;
}

const JsonValue& pair_of(const JsonValue& pair, std::size_t place) {
  if (pair.items.size() != 2) throw RowRefused("an operator needs two values");
  return pair.items[place];
}

const JsonValue* member_of(const JsonValue& item, std::string_view name) {
  const JsonMember* member = item.find(name);
  return member == nullptr ? nullptr : &member->value;
}

// What items are compared by: a member of them, or all of them.
const JsonValue& identity(const JsonValue& item, const JsonMember* by) {
  const JsonValue* member = by == nullptr || item.kind != JsonKind::Object ? nullptr : member_of(item, by->value.text);
  return member == nullptr ? item : *member;
}

// The same for values that are the same_json().
std::size_t hash_of(const JsonValue& value) {
  const auto add = [](std::size_t hash, std::size_t other) { return hash * 31 + other; };
  switch (value.kind) {
    case JsonKind::Null: return 1;
    case JsonKind::Integer:
    case JsonKind::Float: return std::hash<double>()(std::strtod(value.text.c_str(), nullptr));
    case JsonKind::Boolean:
    case JsonKind::String: return std::hash<std::string>()(value.text);
    case JsonKind::Array: {
      std::size_t hash = 2;
      for (const JsonValue& item : value.items) hash = add(hash, hash_of(item));
      return hash;
    }
    case JsonKind::Object: {
      std::size_t hash = 3;
      for (const JsonMember& member : value.members) {
        if (member.value.kind == JsonKind::Null) continue;
        hash = add(add(hash, std::hash<std::string>()(member.key)), hash_of(member.value));
      }
      return hash;
    }
  }
  return 0;
}

// Items of an array in their order, found by what they are compared by.
class IndexedItems {
 public:
  using Item = std::optional<JsonValue>;  // without a value where it was removed

  explicit IndexedItems(const JsonMember* by) : by_(by) {}

  // The first one that is the same; null if none is. Valid until another one is added.
  Item* find(const JsonValue& item) {
    auto first = items_.size();
    const auto [begin, end] = places_.equal_range(hash_of(identity(item, by_)));
    for (auto one = begin; one != end; ++one) {
      const Item& other = items_[one->second];
      if (other && same_json(identity(*other, by_), identity(item, by_))) first = std::min(first, one->second);
    }
    return first == items_.size() ? nullptr : &items_[first];
  }

  void add(const JsonValue& item) {
    places_.emplace(hash_of(identity(item, by_)), items_.size());
    items_.emplace_back(item);
  }

  void set(Item& found, const JsonMember& member) {
    const std::size_t before = hash_of(identity(*found, by_));
    found->set(member);
    const std::size_t after = hash_of(identity(*found, by_));
    if (after != before) places_.emplace(after, static_cast<std::size_t>(&found - items_.data()));
  }

  JsonValue take() {
    JsonValue array = json_array();
    for (Item& item : items_) {
      if (item) array.items.push_back(*std::move(item));
    }
    return array;
  }

 private:
  const JsonMember* by_;
  std::vector<Item> items_;
  std::unordered_multimap<std::size_t, std::size_t> places_;  // by hash
};

JsonValue combined(const std::string& name, const JsonValue& left, const JsonValue& right, const JsonMember* by,
                   const JsonMember* of) {
  const bool is_union = name == "$union";
  IndexedItems items(by);
  const auto unite = [&](IndexedItems::Item* same, const JsonValue& item) {
    if (same == nullptr) {
      items.add(item);
    } else if (by != nullptr) {
      *same = item;
    }
  };
  for (const JsonValue& item : left.items) unite(items.find(item), item);
  for (const JsonValue& item : right.items) {
    IndexedItems::Item* const same = items.find(item);
    if (same != nullptr && of != nullptr) {
      JsonMember inner{of->value.text, {}, json_array()};
      if (const JsonValue* value = member_of(**same, of->value.text)) inner.value = *value;
      if (const JsonValue* value = member_of(item, of->value.text)) {
        inner.value = combined(name, inner.value, *value, nullptr, nullptr);
      }
      if (inner.value.items.empty()) {
        same->reset();
      } else {
        items.set(*same, inner);
      }
    } else if (is_union) {
      unite(same, item);
    } else if (same != nullptr) {
      same->reset();
    }
  }
  return items.take();
}

// Numbers are added and multiplied with as many decimals as the one of them that has most.
class Total {
 public:
  explicit Total(std::int64_t start) : whole_(start), total_(static_cast<double>(start)) {}

  void add(const JsonValue& term) {
    take(term);
    if (is_whole_ && __builtin_add_overflow(whole_, to_int64(term).value_or(0), &whole_)) refuse_size();
    total_ += std::strtod(term.text.c_str(), nullptr);
  }

  void multiply(const JsonValue& factor) {
    take(factor);
    if (is_whole_ && __builtin_mul_overflow(whole_, to_int64(factor).value_or(0), &whole_)) refuse_size();
    total_ *= std::strtod(factor.text.c_str(), nullptr);
  }

  JsonValue value() const {
    if (is_whole_) return json_integer(whole_);
    if (!std::isfinite(total_)) throw RowRefused("a number is beyond what a number can be");
    return {JsonKind::Float, fmt::format("{:.{}f}", total_, std::max(decimals_, 1)), {}, {}, {}};
  }

 private:
  [[noreturn]] static void refuse_size() { throw RowRefused("a number is beyond 64 bits"); }

  void take(const JsonValue& number) {
    if (number.kind != JsonKind::Integer && number.kind != JsonKind::Float) {
      throw RowRefused(fmt::format("{} is no number", describe(number)));
    }
    is_whole_ = is_whole_ && number.kind == JsonKind::Integer && to_int64(number).has_value();
    const auto point = number.text.find('.');
    const auto end = std::min(number.text.find_first_of("eE"), number.text.size());
    if (point < end) decimals_ = std::max(decimals_, static_cast<int>(end - point) - 1);
  }

  std::int64_t whole_;
  double total_;
  int decimals_ = 0;
  bool is_whole_ = true;
};

JsonValue sum_of(const JsonValue& terms, Scope& scope) {
  Total total(0);
  for (const JsonValue& term : array_of(terms, scope).items) total.add(term);
  return total.value();
}

JsonValue product_of(const JsonValue& factors, Scope& scope) {
  Total total(1);
  for (const JsonValue& factor : array_of(factors, scope).items) total.multiply(factor);
  return total.value();
}

// Nothing if one has no value.
std::optional<std::pair<Instant, Instant>> two_instants(const JsonValue& times, Scope& scope) {
  std::vector<Instant> instants;
  for (const JsonValue& time : times.items) {
    const auto value = evaluate(time, scope);
    if (!value) return std::nullopt;
    const auto instant = parse_rfc3339(value->text);
    if (!instant) throw RowRefused(fmt::format("{} is no time", describe(*value)));
    instants.push_back(*instant);
  }
  if (instants.size() != 2) throw RowRefused("an operator needs two times");
  return std::pair(instants[0], instants[1]);
}

// Whole seconds from one time to another.
std::optional<JsonValue> seconds_between(const JsonValue& times, Scope& scope) {
  const auto instants = two_instants(times, scope);
  if (!instants) return std::nullopt;
  const auto& [from, to] = *instants;
  return json_integer(to.second - from.second - (to.nano < from.nano ? 1 : 0));
}

// Whether a time is after another.
std::optional<JsonValue> is_after(const JsonValue& times, Scope& scope) {
  const auto instants = two_instants(times, scope);
  if (!instants) return std::nullopt;
  return JsonValue{JsonKind::Boolean, instants->first > instants->second ? "true" : "false", {}, {}, {}};
}

JsonValue made_key(const JsonValue& form, const JsonValue& resource, Scope& scope) {
  std::int64_t largest = 0;
  if (const JsonMember* above = form.find("above")) {
    for (const JsonValue& number : array_of(above->value, scope).items) {
      largest = std::max(largest, to_int64(number).value_or(0));
    }
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() - 2;  // another one follows
  return json_integer(scope.edit().make_key(resource_of(resource, scope), std::min(largest, kMost)));
}

JsonValue split(const std::string& text, const std::string& by) {
  if (by.empty()) throw RowRefused("an operator splits a text by nothing");
  JsonValue parts = json_array();
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(by, begin), text.size());
    JsonValue part = json_text(trim_blanks(std::string_view(text).substr(begin, end - begin)));
    JsonValue number = part;
    number.kind = JsonKind::Integer;
    std::int64_t parsed = 0;
    const char* const last = part.text.data() + part.text.size();
    const auto [stop, error] = std::from_chars(part.text.data(), last, parsed);
    if (!part.text.empty()) parts.items.push_back(error == std::errc{} && stop == last ? number : part);
    begin = end + by.size();
  }
  return parts;
}

JsonValue join(const JsonValue& items, std::string_view by) {
  std::string text;
  for (const JsonValue& item : items.items) text += (text.empty() ? "" : std::string(by)) + text_of(item);
  return json_text(text);
}

constexpr auto kAll = std::numeric_limits<std::int64_t>::max();

// What a form makes of each row that it picks, of the first ones only where more are not wanted.
JsonValue rows_of(const JsonValue& form, const JsonMember& resource, const JsonMember* take, std::int64_t most,
                  Scope& scope) {
  JsonValue rows = json_array();
  const JsonValue where = evaluate_members(need(form, "where"), scope);
  for (Edit::FoundRow& row : scope.edit().find(resource_of(resource.value, scope), where)) {
    if (most-- <= 0) break;
    std::optional<JsonValue> taken = std::move(row.fixture);
    if (take != nullptr) {
      const Shadow found(scope, "found", *std::move(taken));
      taken = evaluate(take->value, scope);
    }
    if (taken) rows.items.push_back(*std::move(taken));
  }
  return rows;
}

std::optional<JsonValue> find_rows(const JsonValue& form, const JsonMember& resource, Scope& scope) {
  const JsonMember* limit = form.find("most");
  const bool is_array = limit != nullptr || form.find("all") != nullptr;
  std::int64_t most = is_array ? kAll : 1;
  if (const auto value = limit == nullptr ? std::nullopt : evaluate(limit->value, scope)) {
    most = to_int64(*value).value_or(0);
  }
  JsonValue rows = rows_of(form, resource, form.find("take"), most, scope);
  if (is_array) return rows;
  return rows.items.empty() ? std::nullopt : std::optional(std::move(rows.items.front()));
}

JsonValue sum_of_rows(const JsonValue& form, const JsonMember& resource, Scope& scope) {
  Total total(0);
  for (const JsonValue& term : rows_of(form, resource, form.find("of"), kAll, scope).items) total.add(term);
  return total.value();
}

std::optional<JsonValue> largest_of_rows(const JsonValue& form, const JsonMember& resource, Scope& scope) {
  std::optional<std::int64_t> largest;
  for (const JsonValue& row : rows_of(form, resource, nullptr, kAll, scope).items) {
    const JsonMember* member = row.find(need(form, "of").text);
    const auto number = member == nullptr ? std::nullopt : to_int64(member->value);
    if (number) largest = std::max(largest.value_or(*number), *number);
  }
  return largest ? std::optional(json_integer(*largest)) : std::nullopt;
}

JsonValue filtered(const JsonValue& form, const JsonValue& items, Scope& scope) {
  const JsonValue where = evaluate_members(need(form, "where"), scope);
  JsonValue kept = json_array();
  std::ranges::copy_if(array_of(items, scope).items, std::back_inserter(kept.items), [&](const JsonValue& item) {
    return std::ranges::all_of(where.members, [&](const JsonMember& member) {
      const JsonValue* own = member_of(item, member.key);
      return own != nullptr && same_json(*own, member.value);
    });
  });
  return kept;
}

}  // namespace

std::optional<JsonValue> evaluate_operator(const JsonValue& form, const JsonMember& operation, Scope& scope) {
  const std::string& name = operation.key;
  const JsonValue& argument = operation.value;
  const auto other = [&](std::string_view key) { return form.find(key); };
  if (name == "$literal") return argument;
  if (name == "$nothing") return std::nullopt;
  if (name == "$first") {
    for (const JsonValue& item : argument.items) {
      if (auto value = evaluate(item, scope)) return value;
    }
    return std::nullopt;
  }
  if (name == "$if") {
    const JsonMember* is = other("is");
    const JsonMember* chosen = other(holds(argument, is == nullptr ? nullptr : &is->value, scope) ? "then" : "else");
    return chosen == nullptr ? std::nullopt : evaluate(chosen->value, scope);
  }
  if (name == "$find") return find_rows(form, operation, scope);
  if (name == "$count") {
    const JsonValue where = evaluate_members(need(form, "where"), scope);
    return json_integer(static_cast<std::int64_t>(scope.edit().find(resource_of(argument, scope), where).size()));
  }
  if (name == "$map") {
    JsonValue mapped = json_array();
    for (JsonValue& item : array_of(argument, scope).items) {
      const Shadow shadow(scope, "item", std::move(item));
      if (auto value = evaluate(need(form, "to"), scope)) mapped.items.push_back(*std::move(value));
    }
    return mapped;
  }
  if (name == "$union" || name == "$without") {
    return combined(name, array_of(pair_of(argument, 0), scope), array_of(pair_of(argument, 1), scope), other("by"),
                    other("of"));
  }
  if (name == "$merge") {
    JsonValue merged = json_object();
    for (const JsonValue& item : argument.items) {
      if (const auto value = evaluate(item, scope)) {
        for (const JsonMember& member : value->members) merged.set(member);
      }
    }
    return merged;
  }
  if (name == "$filter") return filtered(form, argument, scope);
  if (name == "$size") return json_integer(static_cast<std::int64_t>(array_of(argument, scope).items.size()));
  if (name == "$add") return sum_of(argument, scope);
  if (name == "$multiply") return product_of(argument, scope);
  if (name == "$sum") return sum_of_rows(form, operation, scope);
  if (name == "$max") return largest_of_rows(form, operation, scope);
  if (name == "$seconds") return seconds_between(argument, scope);
  if (name == "$after") return is_after(argument, scope);
  if (name == "$made") return made_key(form, argument, scope);
  if (name == "$named") {
    JsonValue named = json_object();
    const auto key = evaluate(argument, scope);
    const auto value = evaluate(need(form, "value"), scope);
    if (key && value) named.set({text_of(*key), {}, *value});
    return named;
  }
  if (name == "$split") {
    const auto text = evaluate(argument, scope);
    if (!text) return std::nullopt;
    return split(text_of(*text), need(form, "by").text);
  }
  if (name == "$join") return join(array_of(argument, scope), need(form, "by").text);
  if (name == "$file") {
    const std::string_view file = scope.edit().catalogue().find_answer(argument.text);
    if (file.empty()) throw RowRefused("an operator names a file that there is not");
    return read_json_text(file);
  }
  throw RowRefused(fmt::format("{} is no operator", printable(name)));
}

}  // namespace ocp_mock
