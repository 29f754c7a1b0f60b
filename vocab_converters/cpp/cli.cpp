// Command line around the reader, for tests and for a look at a file.
//
//     tkl FILE                     what the file is
//     tkl FILE encode TEXT         ids
//     tkl FILE decode ID...        text
//     tkl FILE serve               requests on standard input, answers on standard output
//
// A request is an operation, a flag byte, a u32 count and that many items: `e` UTF-8 bytes and `u` UTF-16 units are
// encoded (flags as in the header), `d` i32 ids are decoded at once and `s` as a stream (flag: skip special tokens).
// An answer is a u32 count and that many ids or bytes. Numbers are little-endian.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tokenizers_lite.hpp"

using tokenizers_lite::Tokenizer;

namespace {

bool read_exactly(void* data, size_t size) { return std::fread(data, 1, size, stdin) == size; }

void answer(const void* data, size_t count, size_t item) {
  const auto size = static_cast<uint32_t>(count);
  std::fwrite(&size, 4, 1, stdout);
  if (count) std::fwrite(data, item, count, stdout);
  std::fflush(stdout);
}

int serve(const Tokenizer& tokenizer) {
  char head[2];
  uint32_t count;
  std::string text;
  std::vector<int32_t> ids;
  std::u16string units;
  while (read_exactly(head, 2) && read_exactly(&count, 4)) {
    const auto flags = static_cast<unsigned>(head[1]);
    if (head[0] == 'e') {
      text.resize(count);
      if (!read_exactly(text.data(), count)) return 1;
      ids = tokenizer.encode(std::string_view(text), flags);
      answer(ids.data(), ids.size(), 4);
    } else if (head[0] == 'u') {
      units.resize(count);
      if (!read_exactly(units.data(), 2 * size_t{count})) return 1;
      ids = tokenizer.encode(std::u16string_view(units), flags);
      answer(ids.data(), ids.size(), 4);
    } else {
      ids.resize(count);
      if (!read_exactly(ids.data(), 4 * size_t{count})) return 1;
      if (head[0] == 'd') {
        text = tokenizer.decode(ids, flags != 0);
      } else {
        text.clear();
        auto stream = tokenizer.stream(flags != 0);
        for (const int32_t id : ids) stream.push(id, text);
        stream.finish(text);
      }
      answer(text.data(), text.size(), 1);
    }
  }
  return 0;
}

int describe(const Tokenizer& tokenizer) {
  std::printf("%d tokens, bos %d, eos %d, pad %d, stop ids", tokenizer.vocab_size(), tokenizer.bos_id(),
              tokenizer.eos_id(), tokenizer.pad_id());
  for (const int32_t id : tokenizer.stop_ids()) std::printf(" %d", id);
  const std::string* chat = tokenizer.chat_template();
  std::printf(", chat template of %zu bytes\n", chat ? chat->size() : 0);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: tkl FILE [encode TEXT | decode ID... | serve]\n", stderr), 2;
  tokenizers_lite::Error error;
  const auto tokenizer = Tokenizer::open(argv[1], error);
  if (!tokenizer) return std::fprintf(stderr, "%s\n", error.message.c_str()), 1;
  const std::string command = argc > 2 ? argv[2] : "";
  if (command == "serve") return serve(*tokenizer);
  if (command == "encode" && argc > 3) {
    for (const int32_t id : tokenizer->encode(std::string_view(argv[3]))) std::printf("%d ", id);
    std::puts("");
    return 0;
  }
  if (command == "decode") {
    std::vector<int32_t> ids;
    for (int i = 3; i < argc; ++i) ids.push_back(std::atoi(argv[i]));
    std::puts(tokenizer->decode(ids).c_str());
    return 0;
  }
  return describe(*tokenizer);
}
