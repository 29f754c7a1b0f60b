"""A tokenizer of 128 ids for the tiny models: one byte each, so that characters span several tokens."""

from __future__ import annotations

import codecs

from tokenizers_lite.errors import TemplateError


class ToyStream:
    def __init__(self):
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token):
        return self._decoder.decode(BYTES[token : token + 1])

    def finish(self):
        return self._decoder.decode(b"", True)


# Ids 0..3 are letters, the rest cycle through the bytes of a text with characters of 1 to 4 bytes.
BYTES = ("abc d" + "é€😀 the end. 漢字 " * 6).encode()[:128]


class ToyCodec:
    """What `runtime.generator.TextCodec` asks for, plus a chat template."""

    vocab_size = 128
    stop_ids = (2,)

    def encode(self, text):
        return [(7 * byte + i) % 128 for i, byte in enumerate(text.encode())]

    def stream(self):
        return ToyStream()

    def decode(self, ids):
        stream = ToyStream()
        return "".join(map(stream.push, ids)) + stream.finish()

    def apply_chat_template(self, messages, add_generation_prompt=True, **options):
        for message in messages:
            if message["role"] not in ("system", "user", "assistant"):
                raise TemplateError(f"no role {message['role']}")
        return [token for message in messages for token in [3, *self.encode(message["role"] + message["content"])]]
