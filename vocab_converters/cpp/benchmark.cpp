// Speed of the reader on one file: one JSON object a line.
//
//     tkl_benchmark FILE             loading, memory, and texts of 1 MB that are one character
//     tkl_benchmark FILE TEXT...     encoding and decoding of texts, whose documents end in NUL bytes
//
// Times are CPU times of the process, the best of some rounds. `python -m benchmarks.cpp` builds and runs it beside Hugging
// Face's library.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "tokenizers_lite.hpp"

using tokenizers_lite::Tokenizer;

namespace {

double cpu_seconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::string read_text(const char* path) {
  std::string text;
  if (std::FILE* file = std::fopen(path, "rb")) {
    char buffer[1 << 16];
    size_t got;
    while ((got = std::fread(buffer, 1, sizeof buffer, file)) > 0) text.append(buffer, got);
    std::fclose(file);
  }
  return text;
}

// Resident memory in KB (Linux, Android).
long resident() {
  long pages = 0, all = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &all, &pages) != 2) pages = 0;
    std::fclose(file);
  }
  return pages * 4;
}

std::vector<std::string_view> documents(const std::string& text) {
  std::vector<std::string_view> found;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\0', at), text.size());
    found.push_back(std::string_view(text).substr(at, end - at));
    at = end + 1;
  }
  return found;
}

template <class Work>
double best_of(int rounds, Work work) {
  double best = 1e9;
  for (int round = 0; round < rounds; ++round) {
    const double start = cpu_seconds();
    work();
    best = std::min(best, cpu_seconds() - start);
  }
  return best;
}

void measure_text(const Tokenizer& tokenizer, const char* path) {
  const std::string text = read_text(path);
  const auto parts = documents(text);
  std::vector<std::vector<int32_t>> ids(parts.size());
  size_t bytes = 0, tokens = 0;
  const double encode = best_of(3, [&] {
    for (size_t i = 0; i < parts.size(); ++i) ids[i] = tokenizer.encode(parts[i], 0);
  });
  const double decode = best_of(3, [&] {
    for (const auto& part : ids) tokenizer.decode(part);
  });
  for (size_t i = 0; i < parts.size(); ++i) bytes += parts[i].size(), tokens += ids[i].size();
  std::printf("{\"text\": \"%s\", \"bytes\": %zu, \"tokens\": %zu, \"encode\": %.6f, \"decode\": %.6f}\n", path, bytes,
              tokens, encode, decode);
}

void measure_runs(const Tokenizer& tokenizer) {
  for (const char* unit : {"a", " ", "!", "0", "\xE4\xB8\xAD", "\xCC\x81", "ab"}) {
    std::string run;
    while (run.size() < 1000000) run += unit;
    size_t count = 0;
    const double seconds = best_of(2, [&] { count = tokenizer.encode(std::string_view(run), 0).size(); });
    std::printf("{\"run\": \"%s\", \"tokens\": %zu, \"seconds\": %.4f}\n", unit, count, seconds);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: tkl_benchmark FILE TEXT...\n", stderr), 2;
  const std::string file = read_text(argv[1]);
  tokenizers_lite::Error error;
  const long before = resident();
  auto tokenizer = Tokenizer::load(file.data(), file.size(), error);
  if (!tokenizer) return std::fprintf(stderr, "%s\n", error.message.c_str()), 1;
  const long taken = resident() - before;
  for (int i = 2; i < argc; ++i) measure_text(*tokenizer, argv[i]);
  if (argc > 2) return 0;
  const double load = best_of(30, [&] { Tokenizer::load(file.data(), file.size(), error); });
  std::printf("{\"load\": %.6f, \"memory\": %ld}\n", load, taken * 1024);
  measure_runs(*tokenizer);
  return 0;
}
