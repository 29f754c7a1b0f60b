// tokenizers-lite: a reader of compact tokenizer files (.tokc) for C++17, C and JNI.
//
// Text -> ids -> text, equal to Hugging Face tokenizers 0.23.3. Needs the standard library only, neither
// exceptions nor RTTI. Add this header and tokenizers_lite.cpp to a project; docs/cpp.md is the guide.
//
// SPDX-License-Identifier: Apache-2.0
#ifndef TOKENIZERS_LITE_HPP
#define TOKENIZERS_LITE_HPP

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ------------------------------------------------------------------- C

typedef struct tkl_tokenizer tkl_tokenizer;
typedef struct tkl_stream tkl_stream;

typedef enum tkl_status {
  TKL_OK = 0,
  TKL_DAMAGED = 1,      // not a compact file, cut short, or changed
  TKL_UNSUPPORTED = 2,  // the file needs a component that this reader does not have
  TKL_IO = 3,           // the file cannot be read
  TKL_MEMORY = 4,       // a result does not fit into memory
  TKL_ARGUMENT = 5      // a null pointer where none may be
} tkl_status;

enum {
  TKL_ADD_SPECIAL = 1,  // put around the text what the model's files ask for (BOS, [CLS], ...)
  TKL_PLAIN_SPECIAL = 2  // special tokens inside the text stay plain text (for untrusted text)
};

// Make a tokenizer from a file in memory: mapped, an APK asset, or read. The memory may go afterwards. `linked` is
// the file that a LINK section names, or null. Return null and write a message (cut to `message_size`) on failure.
tkl_tokenizer* tkl_load(const void* data, size_t size, const void* linked, size_t linked_size, tkl_status* status,
                        char* message, size_t message_size);
// The same from a path; a linked file is looked for beside it.
tkl_tokenizer* tkl_open(const char* path, tkl_status* status, char* message, size_t message_size);
void tkl_close(tkl_tokenizer* tokenizer);

// All functions on a const tokenizer may run on many threads at once. Results are released with tkl_free.
// Text is UTF-8 (or UTF-16) of any length and content, NUL included; what is not valid is read as U+FFFD.
tkl_status tkl_encode(const tkl_tokenizer* tokenizer, const char* text, size_t size, unsigned flags, int32_t** ids,
                      size_t* count);
tkl_status tkl_encode_utf16(const tkl_tokenizer* tokenizer, const uint16_t* text, size_t units, unsigned flags,
                            int32_t** ids, size_t* count);
// Ids without a token are passed over. The text ends with a NUL that `size` does not count.
tkl_status tkl_decode(const tkl_tokenizer* tokenizer, const int32_t* ids, size_t count, int skip_special, char** text,
                      size_t* size);
void tkl_free(void* result);

// Decoding one id at a time: the texts of all pushes and of finish, together, are what tkl_decode gives, and each is
// whole UTF-8. The text returned is the stream's and lasts until its next call. The tokenizer must outlive the stream.
tkl_stream* tkl_stream_new(const tkl_tokenizer* tokenizer, int skip_special);
const char* tkl_stream_push(tkl_stream* stream, int32_t id, size_t* size);
const char* tkl_stream_finish(tkl_stream* stream, size_t* size);  // afterwards the stream starts over
void tkl_stream_free(tkl_stream* stream);

int32_t tkl_vocab_size(const tkl_tokenizer* tokenizer);
int32_t tkl_token_to_id(const tkl_tokenizer* tokenizer, const char* token, size_t size);  // -1: no such token
tkl_status tkl_id_to_token(const tkl_tokenizer* tokenizer, int32_t id, char** token, size_t* size);  // null: no such id
int32_t tkl_bos_id(const tkl_tokenizer* tokenizer);  // -1: none
int32_t tkl_eos_id(const tkl_tokenizer* tokenizer);
int32_t tkl_pad_id(const tkl_tokenizer* tokenizer);
const int32_t* tkl_stop_ids(const tkl_tokenizer* tokenizer, size_t* count);  // the tokenizer's own memory
// Jinja source of a chat template (null name: "default"), the tokenizer's own memory; null if there is none.
const char* tkl_chat_template(const tkl_tokenizer* tokenizer, const char* name, size_t* size);

#ifdef __cplusplus
}

// ----------------------------------------------------------------- C++

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tokenizers_lite {

struct Error {
  tkl_status status = TKL_OK;
  std::string message;  // names the section and offset or the field of the spec
};

struct Model;        // everything a file holds, read-only once loaded
struct StreamState;  // what a stream holds back

// Text of ids that come one at a time.
class Stream {
 public:
  Stream(const Model& model, bool skip_special);
  ~Stream();
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;
  // Take an id; append the text that no later id can change.
  void push(int32_t id, std::string& out);
  // Append the text held back and start over.
  void finish(std::string& out);

 private:
  std::unique_ptr<StreamState> state_;
};

// A tokenizer. Const functions may run on many threads at once.
class Tokenizer {
 public:
  // Return null and fill in `error` if the file is damaged or needs what this reader does not have.
  static std::unique_ptr<Tokenizer> load(const void* data, size_t size, Error& error, const void* linked = nullptr,
                                         size_t linked_size = 0);
  static std::unique_ptr<Tokenizer> open(const std::string& path, Error& error);
  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  std::vector<int32_t> encode(std::string_view text, unsigned flags = TKL_ADD_SPECIAL) const;
  std::vector<int32_t> encode(std::u16string_view text, unsigned flags = TKL_ADD_SPECIAL) const;
  void encode(std::string_view text, unsigned flags, std::vector<int32_t>& ids) const;  // appends
  std::string decode(const int32_t* ids, size_t count, bool skip_special = true) const;
  std::string decode(const std::vector<int32_t>& ids, bool skip_special = true) const {
    return decode(ids.data(), ids.size(), skip_special);
  }
  // The tokenizer must outlive the stream.
  Stream stream(bool skip_special = true) const;

  int32_t vocab_size() const;
  int32_t token_to_id(std::string_view token) const;       // -1: no such token
  bool id_to_token(int32_t id, std::string& token) const;  // false: no such id
  int32_t bos_id() const;                                  // -1: none
  int32_t eos_id() const;
  int32_t pad_id() const;
  const std::vector<int32_t>& stop_ids() const;
  const std::string* chat_template(std::string_view name = "default") const;  // null: none

 private:
  explicit Tokenizer(std::unique_ptr<Model> model);
  std::unique_ptr<Model> model_;
};

}  // namespace tokenizers_lite
#endif  // __cplusplus
#endif  // TOKENIZERS_LITE_HPP
