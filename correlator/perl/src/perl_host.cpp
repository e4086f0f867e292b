// SPDX-License-Identifier: Apache-2.0
// The embedded Perl. All code lives in package main::SEC and shares its globals.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/procedure.h"
#include "rules/sec/reader.h"

#define PERL_NO_GET_CONTEXT
#include <EXTERN.h>
#include <perl.h>
#include <XSUB.h>
#undef do_open
#undef do_close
#undef seed

extern "C" {
void boot_DynaLoader(pTHX_ CV* cv);
static void load_extensions(pTHX) { newXS("DynaLoader::boot_DynaLoader", boot_DynaLoader, __FILE__); }
}

namespace correlator {
namespace {

using engine::Bindings;
using engine::ScriptArgument;
using engine::ScriptResult;
using engine::ScriptValue;

class PerlHost final : public engine::ScriptHost, public rules::sec::CodeCompiler {
 public:
  PerlHost() {
    static char name[] = "", flag[] = "-e", program[] = "0";
    static char* words[] = {name, flag, program, nullptr};
    int count = 3;
    char** argv = words;
    char** environment = environ;
    PERL_SYS_INIT3(&count, &argv, &environment);
    perl_ = perl_alloc();
    PERL_SET_CONTEXT(perl_);
    perl_construct(perl_);
    dTHXa(perl_);
    PL_exit_flags |= PERL_EXIT_DESTRUCT_END;
    perl_parse(perl_, load_extensions, count, argv, nullptr);
    perl_run(perl_);
    eval_pv("package main::SEC; $SIG{PIPE} = 'IGNORE';", FALSE);
  }

  Result<std::uint32_t> compile(const std::string& source) override {
    dTHXa(perl_);
    SV* made = eval_pv(("package main::SEC; " + source).c_str(), FALSE);
    if (SvTRUE(ERRSV)) return wrong(text_of(ERRSV).value_or(""));
    if (!SvROK(made) || SvTYPE(SvRV(made)) != SVt_PVCV) return wrong("this gives no function, and sub { … } is needed");
    return keep(made);
  }

  ScriptResult call(std::uint32_t function, std::span<const ScriptArgument> arguments, bool list) override {
    dTHXa(perl_);
    dSP;
    ENTER;
    SAVETMPS;
    PUSHMARK(SP);
    std::vector<HV*> tables(arguments.size(), nullptr);
    for (std::size_t i = 0; i < arguments.size(); ++i) XPUSHs(argument(arguments[i], tables[i]));
    PUTBACK;
    const int count = call_sv(functions_[function], (list ? G_ARRAY : G_SCALAR) | G_EVAL);
    ScriptResult result = take(count);
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (tables[i] != nullptr) write_back(tables[i], *arguments[i].entry);
    }
    FREETMPS;
    LEAVE;
    return result;
  }

  ScriptResult evaluate(const std::string& source, std::span<const std::string> values, bool list) override {
    dTHXa(perl_);
    AV* array = get_av("main::SEC::_value", GV_ADD);
    av_clear(array);
    for (const std::string& value : values) av_push(array, newSVpvn(value.data(), value.size()));
    ENTER;
    SAVETMPS;
    SV* code = sv_2mortal(newSVpvf("package main::SEC; %s", source.c_str()));
    const int count = eval_sv(code, (list ? G_ARRAY : G_SCALAR) | G_EVAL);
    ScriptResult result = take(count);
    FREETMPS;
    LEAVE;
    return result;
  }

 private:
  static Diagnostic wrong(std::string message) {
    while (!message.empty() && message.back() == '\n') message.pop_back();
    Diagnostic out;
    out.code = "E084";
    out.message = "Perl does not take this: " + message;
    return out;
  }

  std::uint32_t keep(SV* function) {
    dTHXa(perl_);
    functions_.push_back(newSVsv(function));
    return static_cast<std::uint32_t>(functions_.size() - 1);
  }

  ScriptValue text_of(SV* value) {
    dTHXa(perl_);
    if (!SvOK(value)) return std::nullopt;
    STRLEN length = 0;
    const char* bytes = SvPV(value, length);
    return std::string(bytes, length);
  }

  SV* argument(const ScriptArgument& given, HV*& table) {
    dTHXa(perl_);
    if (given.text) return sv_2mortal(newSVpvn(given.text->data(), given.text->size()));
    if (given.entry != nullptr) {
      table = newHV();
      for (std::size_t i = 0; i < given.entry->numbered.size(); ++i) put(table, std::to_string(i), given.entry->numbered[i]);
      for (const auto& [name, value] : given.entry->named) put(table, name, value);
      return sv_2mortal(newRV_noinc(reinterpret_cast<SV*>(table)));
    }
    if (given.list == nullptr && given.times == nullptr) return &PL_sv_undef;
    AV* array = newAV();
    if (given.list != nullptr) for (const std::string& token : *given.list) av_push(array, newSVpvn(token.data(), token.size()));
    if (given.times != nullptr) for (const std::int64_t time : *given.times) av_push(array, newSViv(time));
    return sv_2mortal(newRV_noinc(reinterpret_cast<SV*>(array)));
  }

  void put(HV* table, const std::string& name, const ScriptValue& value) {
    dTHXa(perl_);
    SV* made = value ? newSVpvn(value->data(), value->size()) : newSV(0);
    if (hv_store(table, name.data(), static_cast<I32>(name.size()), made, 0) == nullptr) SvREFCNT_dec(made);
  }

  Bindings fields_of(HV* table) {
    dTHXa(perl_);
    Bindings out;
    hv_iterinit(table);
    while (HE* entry = hv_iternext(table)) {
      STRLEN length = 0;
      const char* name = HePV(entry, length);
      out.named.emplace_back(std::string(name, length), text_of(HeVAL(entry)));
    }
    return out;
  }

  void write_back(HV* table, Bindings& entry) {
    const Bindings now = fields_of(table);
    for (const auto& [name, value] : now.named) entry.set(name, value);
    std::erase_if(entry.named, [&](const auto& old) { return now.find(old.first) == nullptr; });
  }

  // What a call left on the stack.
  ScriptResult take(int count) {
    dTHXa(perl_);
    dSP;
    ScriptResult out;
    std::vector<SV*> values(static_cast<std::size_t>(count));
    for (int i = count; i > 0; --i) values[static_cast<std::size_t>(i - 1)] = POPs;
    PUTBACK;
    if (SvTRUE(ERRSV)) {
      out.failed = true;
      out.error = text_of(ERRSV).value_or("");
      return out;
    }
    for (SV* value : values) {
      if (values.size() == 1 && SvROK(value) && SvTYPE(SvRV(value)) == SVt_PVHV) out.fields = fields_of(reinterpret_cast<HV*>(SvRV(value)));
      if (values.size() == 1 && SvROK(value) && SvTYPE(SvRV(value)) == SVt_PVCV) out.function = keep(value);
      out.values.push_back(text_of(value));
    }
    return out;
  }

  PerlInterpreter* perl_ = nullptr;
  std::vector<SV*> functions_;
};

PerlHost& host() {
  static auto* only = new PerlHost();  // stays as long as the process: Perl is not made twice
  return *only;
}

}  // namespace
}  // namespace correlator

extern "C" {
correlator::engine::ScriptHost* correlator_perl_scripts() { return &correlator::host(); }
correlator::rules::sec::CodeCompiler* correlator_perl_compiler() { return &correlator::host(); }
}
