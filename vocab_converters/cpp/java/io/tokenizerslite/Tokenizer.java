package io.tokenizerslite;

import java.io.IOException;

/**
 * Text to ids and back, equal to Hugging Face tokenizers: the Java side of jni.cpp.
 *
 * <p>All methods but {@link #close} may be called from many threads at once. Works on Android and on any JVM.
 */
public final class Tokenizer implements AutoCloseable {
  static {
    System.loadLibrary("tokenizers_lite_jni");
  }

  private static final int ADD_SPECIAL = 1;
  private static final int PLAIN_SPECIAL = 2;

  private long handle;

  private Tokenizer(long handle) {
    this.handle = handle;
  }

  /** Reads a file. Throws IOException, with what is wrong, if it is damaged or needs what the reader lacks. */
  public static Tokenizer open(String path) throws IOException {
    return new Tokenizer(openFile(path));
  }

  /** Reads an asset of an APK: {@code assets} is the app's android.content.res.AssetManager. */
  public static Tokenizer open(Object assets, String name) throws IOException {
    return new Tokenizer(openAsset(assets, name));
  }

  /** Ids of a text, with what the model's files put around it (BOS, [CLS], ...). */
  public int[] encode(String text) {
    return encode(text, true, false);
  }

  /**
   * Ids of a text.
   *
   * @param addSpecial put around the text what the model's files ask for
   * @param plainSpecial read special tokens inside the text as plain text: for text that users typed
   */
  public int[] encode(String text, boolean addSpecial, boolean plainSpecial) {
    return encode(opened(), text, (addSpecial ? ADD_SPECIAL : 0) | (plainSpecial ? PLAIN_SPECIAL : 0));
  }

  /** Text of ids, without special tokens. */
  public String decode(int[] ids) {
    return decode(ids, true);
  }

  public String decode(int[] ids, boolean skipSpecial) {
    return decode(opened(), ids, skipSpecial);
  }

  /** Ids that end an answer. */
  public int[] stopIds() {
    return stopIds(opened());
  }

  /** Jinja source of the model's chat template, or null. */
  public String chatTemplate() {
    return chatTemplate(opened());
  }

  /** A decoder of ids that come one at a time; close it before the tokenizer. */
  public Stream stream(boolean skipSpecial) {
    return new Stream(this, skipSpecial);
  }

  @Override
  public void close() {
    close(handle);
    handle = 0;
  }

  private long opened() {
    if (handle == 0) throw new IllegalStateException("the tokenizer is closed");
    return handle;
  }

  /** Text of ids that come one at a time; never half a character. For one thread. */
  public static final class Stream implements AutoCloseable {
    private final Tokenizer owner; // keeps the tokenizer from being collected
    private long stream;

    private Stream(Tokenizer owner, boolean skipSpecial) {
      this.owner = owner;
      stream = streamNew(owner.opened(), skipSpecial);
    }

    /** The text that this id completes, often empty. */
    public String push(int id) {
      owner.opened();
      return streamPush(opened(), id);
    }

    /** The text that was held back; afterwards the stream starts over. */
    public String finish() {
      owner.opened();
      return streamFinish(opened());
    }

    @Override
    public void close() {
      streamFree(stream);
      stream = 0;
    }

    private long opened() {
      if (stream == 0) throw new IllegalStateException("the stream is closed");
      return stream;
    }
  }

  private static native long openFile(String path) throws IOException;

  private static native long openAsset(Object assets, String name) throws IOException;

  private static native void close(long handle);

  private static native int[] encode(long handle, String text, int flags);

  private static native String decode(long handle, int[] ids, boolean skipSpecial);

  private static native int[] stopIds(long handle);

  private static native String chatTemplate(long handle);

  private static native long streamNew(long handle, boolean skipSpecial);

  private static native String streamPush(long stream, int id);

  private static native String streamFinish(long stream);

  private static native void streamFree(long stream);
}
