// SPDX-License-Identifier: Apache-2.0
#include "input/identity.h"

#include "catch.h"
#include "make_input.h"

using namespace correlator;
using namespace correlator::input;
using namespace correlator::input::test;

TEST_CASE("an identity survives rename, compression and growth") {
  const Directory directory;
  const std::string text = log_text(20'000, 1);
  const auto path = directory.write("messages", text);
  const FileIdentity recorded = identify(path).value();
  CHECK(recorded.id.starts_with("4096:"));
  std::filesystem::rename(path, directory.path() / "messages.1");
  CHECK(same_file(directory.path() / "messages.1", recorded).value());
  for (const Compression kind : kCompressed) {
    const auto packed = directory.write("messages.2", compress(text, kind));
    CHECK(identify(packed).value() == recorded);
    CHECK(check_resume(packed, recorded, 10'000).ok());
  }
  directory.write("messages.1", text + "more\n");
  CHECK(check_resume(directory.path() / "messages.1", recorded, text.size()).ok());
}

TEST_CASE("a short file is recognised after it has grown, an empty one always") {
  const Directory directory;
  const auto path = directory.write("m", "one\n");
  const FileIdentity one = identify(path).value();
  CHECK(one.id.starts_with("4:"));
  directory.write("m", "one\n" + log_text(9000, 2));
  CHECK(same_file(path, one).value());
  CHECK_FALSE(identify(path).value() == one);
  directory.write("m", "two\n" + log_text(9000, 2));
  CHECK_FALSE(same_file(path, one).value());
  directory.write("m", "");
  const FileIdentity empty = identify(path).value();
  CHECK(empty.id == "0:");
  CHECK_FALSE(same_file(path, one).value());
  directory.write("m", "anything");
  CHECK(same_file(path, empty).value());
}

TEST_CASE("a file that was replaced or truncated is named") {
  const Directory directory;
  const auto path = directory.write("m", log_text(9000, 3));
  const FileIdentity recorded = identify(path).value();
  directory.write("m", log_text(9000, 4));
  const Status changed = check_resume(path, recorded, 500);
  REQUIRE_FALSE(changed.ok());
  CHECK(changed.error().code == "E207");
  CHECK(changed.error().place.file == path.string());
  CHECK(changed.error().message == "is not the file of which 500 bytes were read before");
  const std::string text = log_text(9000, 3);
  directory.write("m", text.substr(0, 6000));
  CHECK(check_resume(path, recorded, 6000).ok());
  const Status shorter = check_resume(path, recorded, 6001);
  REQUIRE_FALSE(shorter.ok());
  CHECK(shorter.error().code == "E206");
  CHECK(shorter.error().message == "holds 6000 bytes, but 6001 were read before");
}

TEST_CASE("a damaged file has the identity of what it holds; what is no file has none") {
  const Directory directory;
  const std::string text = log_text(500'000, 5);
  const auto path = directory.write("m.gz", compress(text, Compression::gzip).substr(0, 30'000));
  CHECK(identify(path).value() == identify(directory.write("m", text)).value());
  CHECK(identify("-").error().code == "E209");
  CHECK(identify(directory.path()).error().code == "E209");
  CHECK(identify(directory.path() / "none").error().code == "E201");
  for (const char* broken : {"", "x", "9999999:ab", "-1:ab", "4096", "4096:"}) {
    CHECK_FALSE(same_file(path, FileIdentity{broken}).value());
  }
}
