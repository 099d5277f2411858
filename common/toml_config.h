// Configuration files of all programs: TOML, read with toml++ because CLI11's own reader knows only
// a part of it. Keys are the flags' names, of which "_" may stand for "-".
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace trawl {

class TomlConfig : public CLI::Config {
 public:
  enum class Key {
    kOwn,
    kForeign,  // of another program or a script, which shares the file
    kUnknown,
  };
  explicit TomlConfig(std::function<Key(const std::string&)> judge) : judge_(std::move(judge)) {}

  std::string to_config(const CLI::App*, bool, bool, std::string) const override { return {}; }
  /// Throws CLI::Error, whose text begins with "--config: ", when the file cannot be used.
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;

 private:
  std::function<Key(const std::string&)> judge_;
};

}  // namespace trawl
