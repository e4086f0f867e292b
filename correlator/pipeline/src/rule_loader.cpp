// SPDX-License-Identifier: Apache-2.0
#include "pipeline/rule_loader.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include "pipeline/checker.h"
#include "rules/loader.h"

namespace correlator::pipeline {

ProvenRules load_proven(const std::vector<std::filesystem::path>& paths) {
  ProvenRules out;
  auto files = rules::read_rule_files(paths);
  if (!files) {
    out.diagnostics.push_back(files.error());
    return out;
  }
  rules::Loaded loaded = rules::load(std::move(files).value());
  std::copy_if(loaded.diagnostics.begin(), loaded.diagnostics.end(), std::back_inserter(out.diagnostics),
               [](const Diagnostic& d) { return d.gravity == Gravity::error; });
  if (loaded.rules == nullptr) return out;
  CheckOptions check;
  check.warnings = false;
  CheckReport report = check_rules(loaded.rules, check);
  if (!has_errors(report.diagnostics)) {
    out.rules = std::move(loaded.rules);
    out.matcher = std::move(report.matcher);
    return out;
  }
  out.diagnostics = std::move(report.diagnostics);
  out.diagnostics.push_back(make_error("E504", "rules that fail their own samples or tests do not load",
                                       "mend the rule or its test; `correlator check` shows all of them"));
  return out;
}

struct RuleLoader::Impl {
  int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::thread thread;
  std::mutex mutex;
  std::optional<ProvenRules> done;
  bool busy = false;
};

RuleLoader::RuleLoader() : impl_(std::make_unique<Impl>()) {}

RuleLoader::~RuleLoader() {
  if (impl_->thread.joinable()) impl_->thread.join();
  ::close(impl_->fd);
}

int RuleLoader::fd() const { return impl_->fd; }

bool RuleLoader::start(std::vector<std::filesystem::path> paths) {
  if (impl_->busy) return false;
  impl_->busy = true;
  impl_->thread = std::thread([impl = impl_.get(), paths = std::move(paths)] {
    ProvenRules rules = load_proven(paths);
    const std::lock_guard lock(impl->mutex);
    impl->done = std::move(rules);
    ::eventfd_write(impl->fd, 1);
  });
  return true;
}

std::optional<ProvenRules> RuleLoader::take() {
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->done) return std::nullopt;
  }
  impl_->thread.join();
  eventfd_t ignored = 0;
  ::eventfd_read(impl_->fd, &ignored);
  impl_->busy = false;
  return std::exchange(impl_->done, std::nullopt);
}

}  // namespace correlator::pipeline
