// Speed of the reader on one file and any texts.
//
//     tkl_benchmark FILE TEXT...     a table: load time, memory, then megabytes a second for each text
//
// Times are CPU times of the process, the best of several rounds; texts are cut into documents of about 8 KB at ends
// of lines, as benchmarks/ does for Hugging Face's library.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstring>
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
    size_t end = text.find('\n', std::min(text.size(), at + 8192));
    end = end == std::string::npos ? text.size() : end + 1;
    found.push_back(std::string_view(text).substr(at, end - at));
    at = end;
  }
  return found;
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
  double best = 1e9;
  for (int round = 0; round < 9; ++round) {
    const double start = cpu_seconds();
    const auto again = Tokenizer::load(file.data(), file.size(), error);
    best = std::min(best, cpu_seconds() - start);
  }
  std::printf("load %.1f ms, %.1f MB\n", best * 1e3, static_cast<double>(taken) / 1024);
  for (int i = 2; i < argc; ++i) {
    const std::string text = read_text(argv[i]);
    const auto parts = documents(text);
    size_t count = 0;
    double encode = 1e9, decode = 1e9;
    std::vector<std::vector<int32_t>> ids(parts.size());
    for (int round = 0; round < 5; ++round) {
      double start = cpu_seconds();
      count = 0;
      for (size_t part = 0; part < parts.size(); ++part) {
        ids[part] = tokenizer->encode(parts[part]);
        count += ids[part].size();
      }
      encode = std::min(encode, cpu_seconds() - start);
      start = cpu_seconds();
      for (const auto& part : ids) tokenizer->decode(part);
      decode = std::min(decode, cpu_seconds() - start);
    }
    const double megabytes = static_cast<double>(text.size()) / 1e6;
    const char* name = std::strrchr(argv[i], '/');
    std::printf("%-28s %9zu tokens  encode %6.1f MB/s  decode %6.1f MB/s\n", name ? name + 1 : argv[i], count,
                megabytes / encode, megabytes / decode);
  }
  for (const char* unit : {"a", "x", " ", "\n", "!", "0", "\xE4\xB8\xAD", "\xCC\x81", "ab"}) {
    std::string run;
    while (run.size() < 1000000) run += unit;
    const double start = cpu_seconds();
    const size_t count = tokenizer->encode(std::string_view(run)).size();
    std::printf("1 MB of U+%04X...             %9zu tokens  %.3f s\n", static_cast<unsigned char>(unit[0]), count,
                cpu_seconds() - start);
  }
  return 0;
}
