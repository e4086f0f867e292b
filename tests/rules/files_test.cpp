// SPDX-License-Identifier: Apache-2.0
// Directories: order, replacement, masks.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "catch.h"
#include "load.h"

namespace correlator::rules {
namespace {

namespace fs = std::filesystem;

class Sandbox {
 public:
  Sandbox() : root_(fs::temp_directory_path() / ("rules-files-" + std::to_string(::getpid()))) {
    fs::create_directories(root_);
  }
  ~Sandbox() { fs::remove_all(root_); }
  fs::path operator/(const char* name) const { return root_ / name; }
  void write(const fs::path& path, std::string_view text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }

 private:
  fs::path root_;
};

std::vector<std::string> names(const Result<std::vector<RuleFile>>& files) {
  REQUIRE(files);
  std::vector<std::string> out;
  for (const RuleFile& file : *files)
    out.push_back(fs::path(file.name).parent_path().filename().string() + "/" +
                  fs::path(file.name).filename().string());
  return out;
}

TEST_CASE("a later directory replaces and masks files of an earlier one") {
  const Sandbox box;
  box.write("vendor/20-b.toml", "v");
  box.write("vendor/10-a.toml", "v");
  box.write("vendor/30-c.toml", "v");
  box.write("vendor/readme.md", "v");
  box.write("vendor/.hidden.toml", "v");
  box.write("admin/20-b.toml", "a");
  box.write("admin/05-x.toml", "a");
  fs::create_symlink("/dev/null", box / "admin/30-c.toml");
  box.write("one.toml", "o");
  CHECK(names(read_rule_files({box / "vendor", box / "admin", box / "one.toml"})) ==
        std::vector<std::string>{"vendor/10-a.toml", "admin/05-x.toml", "admin/20-b.toml",
                                 fs::path(box / "one.toml").parent_path().filename().string() + "/one.toml"});
  CHECK((*read_rule_files({box / "vendor"})).at(0).text == "v");
}

TEST_CASE("a path that is not there says so") {
  const Sandbox box;
  const auto files = read_rule_files({box / "nowhere"});
  REQUIRE_FALSE(files);
  CHECK(to_text(files.error()) ==
        "error: " + (box / "nowhere").string() +
            ": there is no such file or directory [E036]\n"
            "  hint: name a directory of *.toml files or a single file: --rules PATH\n");
}

TEST_CASE("an empty directory gives no files, and no files load") {
  const Sandbox box;
  fs::create_directories(box / "empty");
  const auto files = read_rule_files({box / "empty"});
  REQUIRE(files);
  CHECK(files->empty());
  CHECK(load(*files).rules);
}

TEST_CASE("a setting of a later directory replaces one of an earlier; in one directory it is a duplicate") {
  const RuleFile base{"/usr/rules/a.toml", std::string(test::kBase)};
  const std::string rule =
      "format = 1\n[[rule]]\nid = 'r'\non = 'memory.corrected'\ncount = '${settings.dimm_ce}'\n";
  const std::string setting = "format = 1\n[settings]\ndimm_ce = '3 in 1h'\n";
  const Loaded replaced = load({base, {"/usr/rules/b.toml", rule}, {"/etc/rules/c.toml", setting}});
  REQUIRE(replaced.rules);
  CHECK(std::get<Count>(replaced.rules->rules[0].operation).threshold.count == 3);
  const Loaded twice = load({base, {"/usr/rules/b.toml", setting}});
  CHECK(test::errors(twice) ==
        "/usr/rules/b.toml:3:1: error: setting `dimm_ce` is defined twice [E006]\n"
        "    dimm_ce = '3 in 1h'\n"
        "    ^~~~~~~\n"
        "  hint: the other one is at /usr/rules/a.toml:28; rename one, or change it with [[override]]\n");
}

TEST_CASE("the hash is of names and texts in their order") {
  const RuleFile a{"a.toml", "format = 1\n"}, b{"b.toml", "format = 1\n# b\n"};
  const std::string ab = load({a, b}).rules->hash;
  CHECK(ab == load({a, b}).rules->hash);
  CHECK(ab != load({b, a}).rules->hash);
  CHECK(ab.size() == 64);
  CHECK(load({a, b}).rules->files.size() == 2);
}

}  // namespace
}  // namespace correlator::rules
