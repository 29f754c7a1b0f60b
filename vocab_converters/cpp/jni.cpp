// JNI for the class java/io/tokenizerslite/Tokenizer.java, on Android and on any JVM.
//
// Strings cross as UTF-16 (GetStringChars): JNI's "UTF" functions speak Modified UTF-8, which writes emoji and NUL
// differently and would give other ids.
//
// SPDX-License-Identifier: Apache-2.0
#ifdef __ANDROID__
#include <android/asset_manager.h>
#include <android/asset_manager_jni.h>
#endif
#include <jni.h>

#include <string>

#include "tokenizers_lite.hpp"

namespace {

tkl_tokenizer* self(jlong handle) { return reinterpret_cast<tkl_tokenizer*>(handle); }

void throw_io(JNIEnv* env, const char* message) {
  if (jclass type = env->FindClass("java/io/IOException")) env->ThrowNew(type, message);
}

jstring to_java(JNIEnv* env, const char* text, size_t size) {
  jbyteArray bytes = env->NewByteArray(static_cast<jsize>(size));
  if (!bytes) return nullptr;
  env->SetByteArrayRegion(bytes, 0, static_cast<jsize>(size), reinterpret_cast<const jbyte*>(text));
  jclass type = env->FindClass("java/lang/String");
  jmethodID make = env->GetMethodID(type, "<init>", "([BLjava/lang/String;)V");
  return static_cast<jstring>(env->NewObject(type, make, bytes, env->NewStringUTF("UTF-8")));
}

}  // namespace

extern "C" {

JNIEXPORT jlong JNICALL Java_io_tokenizerslite_Tokenizer_openFile(JNIEnv* env, jclass, jstring path) {
  const char* name = env->GetStringUTFChars(path, nullptr);
  if (!name) return 0;
  char message[256] = "";
  tkl_tokenizer* tokenizer = tkl_open(name, nullptr, message, sizeof message);
  env->ReleaseStringUTFChars(path, name);
  if (!tokenizer) throw_io(env, message);
  return reinterpret_cast<jlong>(tokenizer);
}

#ifdef __ANDROID__
JNIEXPORT jlong JNICALL Java_io_tokenizerslite_Tokenizer_openAsset(JNIEnv* env, jclass, jobject assets, jstring name) {
  const char* path = env->GetStringUTFChars(name, nullptr);
  if (!path) return 0;
  AAsset* asset = AAssetManager_open(AAssetManager_fromJava(env, assets), path, AASSET_MODE_BUFFER);
  env->ReleaseStringUTFChars(name, path);
  if (!asset) return throw_io(env, "no such asset"), 0;
  char message[256] = "";
  const void* data = AAsset_getBuffer(asset);
  const auto size = static_cast<size_t>(AAsset_getLength64(asset));
  tkl_tokenizer* tokenizer = tkl_load(data, data ? size : 0, nullptr, 0, nullptr, message, sizeof message);
  AAsset_close(asset);
  if (!tokenizer) throw_io(env, message);
  return reinterpret_cast<jlong>(tokenizer);
}
#endif

JNIEXPORT void JNICALL Java_io_tokenizerslite_Tokenizer_close(JNIEnv*, jclass, jlong handle) {
  tkl_close(self(handle));
}

JNIEXPORT jintArray JNICALL Java_io_tokenizerslite_Tokenizer_encode(JNIEnv* env, jclass, jlong handle, jstring text,
                                                                    jint flags) {
  const jchar* units = env->GetStringChars(text, nullptr);
  if (!units) return nullptr;
  int32_t* ids = nullptr;
  size_t count = 0;
  const tkl_status status = tkl_encode_utf16(self(handle), units, static_cast<size_t>(env->GetStringLength(text)),
                                             static_cast<unsigned>(flags), &ids, &count);
  env->ReleaseStringChars(text, units);
  if (status != TKL_OK) return throw_io(env, "the text is too long"), nullptr;
  jintArray result = env->NewIntArray(static_cast<jsize>(count));
  if (result) env->SetIntArrayRegion(result, 0, static_cast<jsize>(count), ids);
  tkl_free(ids);
  return result;
}

JNIEXPORT jstring JNICALL Java_io_tokenizerslite_Tokenizer_decode(JNIEnv* env, jclass, jlong handle, jintArray ids,
                                                                  jboolean skip) {
  jint* items = env->GetIntArrayElements(ids, nullptr);
  if (!items) return nullptr;
  char* text = nullptr;
  size_t size = 0;
  tkl_decode(self(handle), items, static_cast<size_t>(env->GetArrayLength(ids)), skip, &text, &size);
  env->ReleaseIntArrayElements(ids, items, JNI_ABORT);
  jstring result = text ? to_java(env, text, size) : nullptr;
  tkl_free(text);
  return result;
}

JNIEXPORT jlong JNICALL Java_io_tokenizerslite_Tokenizer_streamNew(JNIEnv*, jclass, jlong handle, jboolean skip) {
  return reinterpret_cast<jlong>(tkl_stream_new(self(handle), skip));
}

JNIEXPORT jstring JNICALL Java_io_tokenizerslite_Tokenizer_streamPush(JNIEnv* env, jclass, jlong stream, jint id) {
  size_t size = 0;
  const char* text = tkl_stream_push(reinterpret_cast<tkl_stream*>(stream), id, &size);
  return to_java(env, text, size);
}

JNIEXPORT jstring JNICALL Java_io_tokenizerslite_Tokenizer_streamFinish(JNIEnv* env, jclass, jlong stream) {
  size_t size = 0;
  const char* text = tkl_stream_finish(reinterpret_cast<tkl_stream*>(stream), &size);
  return to_java(env, text, size);
}

JNIEXPORT void JNICALL Java_io_tokenizerslite_Tokenizer_streamFree(JNIEnv*, jclass, jlong stream) {
  tkl_stream_free(reinterpret_cast<tkl_stream*>(stream));
}

JNIEXPORT jintArray JNICALL Java_io_tokenizerslite_Tokenizer_stopIds(JNIEnv* env, jclass, jlong handle) {
  size_t count = 0;
  const int32_t* ids = tkl_stop_ids(self(handle), &count);
  jintArray result = env->NewIntArray(static_cast<jsize>(count));
  if (result) env->SetIntArrayRegion(result, 0, static_cast<jsize>(count), ids);
  return result;
}

JNIEXPORT jstring JNICALL Java_io_tokenizerslite_Tokenizer_chatTemplate(JNIEnv* env, jclass, jlong handle) {
  size_t size = 0;
  const char* text = tkl_chat_template(self(handle), nullptr, &size);
  return text ? to_java(env, text, size) : nullptr;
}

}  // extern "C"
