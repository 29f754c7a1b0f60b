// Fuzzer of files and texts.
//
// Without TKL_FUZZ_FILE in the environment every input is a file: it must be refused or work. With it, that file is
// loaded and every input is a text: what is not UTF-8 counts as U+FFFD, and streaming equals decoding at once.
// Built with -DTKL_LIBFUZZER it is a libFuzzer target; else a program that runs the files named.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tokenizers_lite.hpp"

using tokenizers_lite::Tokenizer;

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

void use(const Tokenizer& tokenizer, std::string_view text) {
  for (const unsigned flags : {0u, 1u, 2u}) {
    const std::vector<int32_t> ids = tokenizer.encode(text, flags);
    for (const bool skip : {false, true}) {
      std::string streamed, whole = tokenizer.decode(ids, skip);
      auto stream = tokenizer.stream(skip);
      for (const int32_t id : ids) stream.push(id, streamed);
      stream.finish(streamed);
      require(streamed == whole, "a stream gives what decode gives");
    }
  }
}

void use_file(const uint8_t* data, size_t size) {
  tokenizers_lite::Error error;
  const auto tokenizer = Tokenizer::load(data, size, error, data, size);
  require(tokenizer || !error.message.empty(), "a refusal has a message");
  if (!tokenizer) return;
  use(*tokenizer, "Hello  w\xC3\xB6rld\n\n 123 \xE4\xB8\xAD\xE5\x9B\xBD e\xCC\x81 <s></s><|im_start|> \xF0\x9F\x91\x8D\xFF!");
  std::vector<int32_t> ids;
  for (int32_t id = -2; id < 70; ++id) ids.push_back(id);
  ids.push_back(tokenizer->vocab_size());
  std::string token = tokenizer->decode(ids, false);
  for (const int32_t id : ids) tokenizer->id_to_token(id, token);
  tokenizer->token_to_id(token);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::unique_ptr<Tokenizer> fixed = [] {
    tokenizers_lite::Error error;
    const char* path = std::getenv("TKL_FUZZ_FILE");
    return path ? Tokenizer::open(path, error) : nullptr;
  }();
  if (fixed)
    use(*fixed, {reinterpret_cast<const char*>(data), size});
  else
    use_file(data, size);
  return 0;
}

#ifndef TKL_LIBFUZZER
int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::FILE* file = std::fopen(argv[i], "rb");
    if (!file) return 2;
    std::vector<uint8_t> data;
    uint8_t buffer[4096];
    size_t got;
    while ((got = std::fread(buffer, 1, sizeof buffer, file)) > 0) data.insert(data.end(), buffer, buffer + got);
    std::fclose(file);
    LLVMFuzzerTestOneInput(data.data(), data.size());
  }
  return 0;
}
#endif
