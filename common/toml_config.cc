#include "common/toml_config.h"

#include <toml++/toml.h>

#include <algorithm>
#include <istream>
#include <sstream>

namespace trawl {
namespace {

std::string Text(const std::string& name, const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  throw CLI::ConversionError("--config: " + name + ": expected text, a whole number, true or " +
                             "false, or an array of them");
}

}  // namespace

std::vector<CLI::ConfigItem> TomlConfig::from_config(std::istream& input) const {
  std::vector<CLI::ConfigItem> items;
  try {
    for (const auto& [key, node] : toml::parse(input)) {
      std::string name(key.str());
      std::replace(name.begin(), name.end(), '_', '-');
      const Key kind = judge_(name);
      if (kind == Key::kForeign) continue;
      if (kind == Key::kUnknown) {
        throw CLI::FileError("--config: unknown key '" + name + "'", CLI::ExitCodes::FileError);
      }
      CLI::ConfigItem& item = items.emplace_back();
      item.name = std::move(name);
      if (const toml::array* array = node.as_array()) {
        for (const toml::node& element : *array) item.inputs.push_back(Text(item.name, element));
      } else {
        item.inputs.push_back(Text(item.name, node));
      }
    }
  } catch (const toml::parse_error& error) {
    std::ostringstream text;
    text << "--config: line " << error.source().begin.line << ": " << error.description();
    throw CLI::FileError(text.str(), CLI::ExitCodes::FileError);
  }
  return items;
}

}  // namespace trawl
