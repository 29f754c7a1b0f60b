"""The tokenizer: text -> ids -> text, as the components of a spec give it.

The class is the public face: what each method takes, gives and raises. The
work is done in `components` (what a first `encode` needs) and in modules that
are imported when first asked for: `_alignment` (offsets), `_decoding`,
`_vocabulary`, `files`, `workers`, `chat`.

A tokenizer is immutable once made: options go with the call, `with_tokens`
returns another one, and the only state is a bounded cache of pieces and
components that are built when first needed, so threads may share one.
"""

from __future__ import annotations

from tokenizers_lite.added import skipping
from tokenizers_lite.components import Components

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from array import array
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any, BinaryIO, Literal

    from tokenizers_lite.added import Special
    from tokenizers_lite.encoding import Encoding
    from tokenizers_lite.spec import AddedToken, Padding, Spec, Truncation
    from tokenizers_lite.stream import StreamDecoder


class Tokenizer:
    """Text to ids and back, equal to Hugging Face `tokenizers` on the same files.

    Make one with `tokenizers_lite.load(name_or_path)` or `Tokenizer(spec)`.

    >>> tokenizer = tokenizers_lite.load("qwen3")
    >>> tokenizer.encode("Hello, world!")
    [9707, 11, 1879, 0]
    >>> tokenizer.decode([9707, 11, 1879, 0])
    'Hello, world!'

    Attributes:
        spec: everything the model's files say (`Spec`).
        name: what it was loaded as; for display only.
    """

    spec: Spec
    name: str
    # The file of the package it was loaded from; such files stay as they are, so worker processes may open it again.
    _bundled = ""

    def __init__(self, spec: Spec, name: str = "", start: Mapping[str, Any] | None = None) -> None:
        """Wire up `spec`.

        Args:
            spec: the tokenizer.
            name: for display only.
            start: the hints of a compact file (`formats.compact.open_quick`).
                With them components are made when first needed, so that a
                process that encodes one prompt makes next to none.

        Raises:
            SpecError: a component of the spec is unknown or contradicts another.
        """
        self.spec = spec
        self.name = name
        self._components = Components(spec, start)

    def __repr__(self) -> str:
        kind = type(self.spec.model).__name__
        return f"<Tokenizer {self.name or self.spec.source.kind}: {kind}, {self.vocab_size} tokens>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.spec, self.name)

    # ------------------------------------------------------------ encoding

    def encode(
        self,
        text: str,
        *,
        add_special_tokens: bool = True,
        allowed_special: Special = "all",
        disallowed_special: Special = (),
    ) -> list[int]:
        """Turn text into ids.

        >>> tokenizer.encode("<|im_start|>user")
        [151644, 872]
        >>> tokenizer.encode("<|im_start|>user", allowed_special=())  # from someone who is not to forge a turn
        [27, 91, 318, 4906, 91, 29, 872]

        Args:
            text: any `str`. Lone surrogates, which Hugging Face cannot receive,
                are read as U+FFFD; surrogate pairs as the character they mean.
            add_special_tokens: add what the model's files ask for around a text (BOS, [CLS], ...).
            allowed_special: the special tokens that are recognised in the text;
                others stay plain text. "all" is what Hugging Face does. Tokens
                added without the special flag are always recognised.
            disallowed_special: special tokens whose presence raises; "all" is
                every special token that is not allowed.

        Returns:
            The ids, as Hugging Face's `Tokenizer.encode(text).ids`.

        Raises:
            SpecialTokenError: the text contains a disallowed special token.
        """
        text = scalars(text)
        components = self._components
        if disallowed_special:
            components.added.refuse(text, allowed_special, disallowed_special)
        frame = components.frame
        if frame is None:
            options: dict[str, Any] = {"add_special_tokens": add_special_tokens, "allowed_special": allowed_special}
            return list(self.encode_with_offsets(text, **options).ids)
        ids = components.ids(text, None if allowed_special == "all" else skipping(allowed_special))
        if not add_special_tokens:
            return ids
        before, after = frame
        return [*before, *ids, *after] if before or after else ids

    def encode_batch(
        self,
        texts: Iterable[str],
        *,
        add_special_tokens: bool = True,
        allowed_special: Special = "all",
        disallowed_special: Special = (),
        workers: int | None = None,
    ) -> list[list[int]]:
        """Turn texts into lists of ids, as `encode` of each.

        >>> tokenizer.encode_batch(["Hello", "world"])
        [[9707], [14615]]

        Args:
            texts: any number of them.
            add_special_tokens: as in `encode`.
            allowed_special: as in `encode`.
            disallowed_special: as in `encode`.
            workers: how many processes share a large batch (`workers.MIN_CHARACTERS`
                and more; smaller ones are done sooner without); None or 1 is this
                process alone. `workers.Workers` keeps them over many batches.

        Returns:
            The ids of each text, in the order of the texts.

        Raises:
            SpecialTokenError: a text contains a disallowed special token.
            WorkerError: a process ended before its time.
        """
        options: dict[str, Any] = {
            "add_special_tokens": add_special_tokens,
            "allowed_special": allowed_special,
            "disallowed_special": disallowed_special,
        }
        if workers is not None and workers != 1:
            from tokenizers_lite.workers import Workers

            with Workers(self, workers) as started:
                return started.encode_batch(texts, **options)
        if self._components.frame is not None:
            from tokenizers_lite._batch import encode_batch

            return encode_batch(self._components, texts, add_special_tokens, allowed_special, disallowed_special)
        return [self.encode(text, **options) for text in texts]

    def encode_stream(
        self, parts: Iterable[str], *, add_special_tokens: bool = True, allowed_special: Special = "all"
    ) -> Iterator[array[int]]:
        """Turn a text that comes in parts into ids, in bounded memory.

        The text is cut only where that cannot change ids (`seams`), so the ids of
        all arrays in a row are those of `encode` of the whole text. Where a
        tokenizer or a text has no such places, it is held whole.

        >>> list(tokenizer.encode_stream(["Hel", "lo, wor", "ld!"]))
        [array('I', [9707, 11, 1879, 0])]

        Args:
            parts: the text in parts that may end anywhere, such as an open text file's lines.
            add_special_tokens: as in `encode`, around the whole text.
            allowed_special: as in `encode`.

        Yields:
            Ids as ``array("I")`` (`numpy.frombuffer` takes them), for some 65,000 characters each.
        """
        from tokenizers_lite.files import encode_stream

        return encode_stream(self, parts, add_special_tokens=add_special_tokens, allowed_special=allowed_special)

    def encode_file(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        target: str | os.PathLike[str],
        *,
        dtype: Literal["uint16", "uint32"] | None = None,
        add_special_tokens: bool = True,
        allowed_special: Special = "all",
        errors: Literal["strict", "replace"] = "strict",
    ) -> tuple[int, str]:
        """Write the ids of a file in UTF-8 to another as bare little-endian numbers, as training code maps them.

        The file appears complete or not at all: it is written beside `target`,
        read back and renamed. A terminal sees a progress bar.

        >>> tokenizer.encode_file(io.BytesIO("Hello, world!".encode()), "hello.bin")
        (4, 'uint32')

        Args:
            source: path of a text, or a binary file that is open (``sys.stdin.buffer``).
            target: path of the file to make.
            dtype: kind of number; None is the smallest that holds every id.
            add_special_tokens: as in `encode`, around the whole text.
            allowed_special: as in `encode`.
            errors: what to do about bytes that are not UTF-8; "replace" reads them as U+FFFD.

        Returns:
            How many ids were written, and as what (``numpy.fromfile(target, dtype)``).

        Raises:
            OSError: a file cannot be read or written, or does not hold what was written to it.
            TextError: `source` is not UTF-8; its `offset` says where.
            ValueError: `dtype` is of another kind.
            VocabError: `dtype` does not hold every id.
        """
        from tokenizers_lite.files import encode_file

        return encode_file(
            self,
            source,
            target,
            dtype=dtype,
            add_special_tokens=add_special_tokens,
            allowed_special=allowed_special,
            errors=errors,
        )

    def encode_pair(self, text: str, pair: str, *, add_special_tokens: bool = True) -> list[int]:
        """Turn two texts into the ids of a pair, as `Tokenizer.encode(text, pair).ids`.

        >>> tokenizers_lite.load("bge-small-en").encode_pair("Hi", "there")
        [101, 7632, 102, 2045, 102]
        """
        return list(self.encode_with_offsets(text, pair, add_special_tokens=add_special_tokens).ids)

    def encode_with_offsets(
        self,
        text: str,
        pair: str | None = None,
        *,
        add_special_tokens: bool = True,
        allowed_special: Special = "all",
        truncation: Truncation | None = None,
        padding: Padding | None = None,
    ) -> Encoding:
        """Turn a text or a pair into ids with everything known about each token.

        >>> encoding = tokenizer.encode_with_offsets("naïve 中文")
        >>> encoding.tokens
        ('na', 'Ã¯', 've', 'Ġä¸Ń', 'æĸĩ')
        >>> encoding.offsets
        ((0, 2), (2, 3), (3, 5), (5, 7), (7, 8))

        Args:
            text: any `str`. Offsets count its characters (after surrogates are put right, as in `encode`).
            pair: a second text.
            add_special_tokens: as in `encode`.
            allowed_special: as in `encode`, for both texts.
            truncation: cuts this input; what the model's files say (``spec.truncation``) is not applied by itself.
            padding: fills this input up; neither is ``spec.padding``.

        Returns:
            An `Encoding`, equal to Hugging Face's column by column.

        Raises:
            SpecError: `truncation` or `padding` holds an unknown strategy or direction.
            TruncationError: the input cannot be cut as asked.
        """
        options: dict[str, Any] = {"add_special_tokens": add_special_tokens, "allowed_special": allowed_special}
        (encoding,) = self.encode_batch_with_offsets(
            [text if pair is None else (text, pair)], truncation=truncation, padding=padding, **options
        )
        return encoding

    def encode_batch_with_offsets(
        self,
        texts: Iterable[str | tuple[str, str]],
        *,
        add_special_tokens: bool = True,
        allowed_special: Special = "all",
        truncation: Truncation | None = None,
        padding: Padding | None = None,
    ) -> list[Encoding]:
        """Do what `encode_with_offsets` does for texts or pairs; `padding` makes them equally long.

        >>> bge = tokenizers_lite.load("bge-small-en")
        >>> batch = bge.encode_batch_with_offsets(["Hi", "Hello there you"], padding=Padding())
        >>> [encoding.ids for encoding in batch]
        [(101, 7632, 102, 0, 0), (101, 7592, 2045, 2017, 102)]
        >>> [encoding.attention_mask for encoding in batch]
        [(1, 1, 1, 0, 0), (1, 1, 1, 1, 1)]

        Args:
            texts: texts, or pairs of them as tuples.
            add_special_tokens: as in `encode`.
            allowed_special: as in `encode`.
            truncation: as in `encode_with_offsets`, for each.
            padding: as in `encode_with_offsets`; ``fixed=None`` is the length of the longest.

        Returns:
            An `Encoding` for each, in order.

        Raises:
            SpecError: `truncation` or `padding` holds an unknown strategy or direction.
            TruncationError: an input cannot be cut as asked.
        """
        from tokenizers_lite._alignment import encoding
        from tokenizers_lite.encoding import pad_batch

        skip = skipping(allowed_special)
        encodings = []
        for item in texts:
            text, pair = (item, None) if isinstance(item, str) else item
            given = (scalars(text), None if pair is None else scalars(pair))
            encodings.append(encoding(self._components, given, skip, truncation, add_special_tokens))
        return encodings if padding is None else pad_batch(encodings, padding)

    def count(self, text: str, *, add_special_tokens: bool = True, allowed_special: Special = "all") -> int:
        """Return ``len(encode(text))`` with the same options.

        >>> tokenizer.count("Hello, world!")
        4
        """
        return len(self.encode(text, add_special_tokens=add_special_tokens, allowed_special=allowed_special))

    def truncate(
        self, text: str, max_tokens: int, *, add_special_tokens: bool = True, allowed_special: Special = "all"
    ) -> str:
        """Return a prefix of `text` that takes at most `max_tokens` tokens, cut between characters.

        The prefix is as long as whole leading tokens allow; encoding it again
        never takes more than `max_tokens` tokens under the same options, unless
        the special tokens around an empty text alone do.

        >>> tokenizer.truncate("Hello, world!", 2)
        'Hello,'

        Args:
            text: any `str`.
            max_tokens: the limit, special tokens included.
            add_special_tokens: as in `encode`.
            allowed_special: as in `encode`.
        """
        text = scalars(text)

        def excess(text: str) -> int:
            size = self.count(text, add_special_tokens=add_special_tokens, allowed_special=allowed_special)
            return size - max_tokens

        if excess(text) <= 0:
            return text
        from tokenizers_lite._alignment import prefix

        around = sum(map(len, self._components.frame or ())) if add_special_tokens else 0
        return prefix(self._components, text, skipping(allowed_special), max_tokens - around, excess)

    # ------------------------------------------------------------ decoding

    def decode(
        self, ids: Iterable[int], *, skip_special_tokens: bool = True, clean_up_tokenization_spaces: bool = False
    ) -> str:
        """Turn ids into text, as Hugging Face's `Tokenizer.decode`.

        >>> tokenizer.decode([9707, 151645])
        'Hello'
        >>> tokenizer.decode([9707, 151645], skip_special_tokens=False)
        'Hello<|im_end|>'

        Args:
            ids: ids; those that the vocabulary does not have are skipped, as there.
            skip_special_tokens: leave special tokens out. (The default is
                tokenizers'; transformers' is False.)
            clean_up_tokenization_spaces: drop blanks before punctuation and English
                contractions, as transformers' `decode` does for models whose
                configuration asks for it (``spec.config``). It is not reversible.

        Returns:
            The text; bytes that are not UTF-8 are U+FFFD in it.
        """
        text = self._components.decoding.text(ids, skip_special_tokens)
        if clean_up_tokenization_spaces:
            from tokenizers_lite._decoding import clean_up

            text = clean_up(text)
        return text

    def decode_bytes(self, ids: Iterable[int], *, skip_special_tokens: bool = True) -> bytes:
        r"""Turn ids into bytes before invalid UTF-8 is replaced, for the decoders that have such bytes.

        >>> tokenizer.decode_bytes(tokenizer.encode("🫠")[:1])  # a part of a character
        b'\xf0\x9f'

        Args:
            ids: as in `decode`.
            skip_special_tokens: as in `decode`.
        """
        return self._components.decoding.raw(ids, skip_special_tokens)

    def decode_batch(
        self, batch: Iterable[Iterable[int]], *, skip_special_tokens: bool = True, workers: int | None = None
    ) -> list[str]:
        """Turn lists of ids into texts, as `decode` of each.

        >>> tokenizer.decode_batch([[9707], [11, 1879]])
        ['Hello', ', world']

        Args:
            batch: any number of lists of ids.
            skip_special_tokens: as in `decode`.
            workers: as in `encode_batch`.

        Raises:
            WorkerError: a process ended before its time.
        """
        if workers is not None and workers != 1:
            from tokenizers_lite.workers import Workers

            with Workers(self, workers) as started:
                return started.decode_batch(batch, skip_special_tokens=skip_special_tokens)
        text = self._components.decoding.text
        return [text(ids, skip_special_tokens) for ids in batch]

    def stream(self, *, skip_special_tokens: bool = True) -> StreamDecoder:
        """Return a decoder that takes ids one by one.

        The texts of its `push` and `finish` put together equal `decode` of all
        the ids; it never raises, and never shows half a character.

        >>> stream = tokenizer.stream()
        >>> [stream.push(id) for id in tokenizer.encode("Hi 🫠!")] + [stream.finish()]
        ['Hi', ' ', '', '🫠', '!', '']

        Args:
            skip_special_tokens: as in `decode`.
        """
        return self._components.decoding.stream(skip_special_tokens)

    # ---------------------------------------------------------- vocabulary

    @property
    def vocab_size(self) -> int:
        """Number of tokens, added ones included."""
        return self._components.vocab_size

    @property
    def special_ids(self) -> frozenset[int]:
        """Ids of the added tokens that have the special flag."""
        return self._components.special_ids

    def token_to_id(self, token: str) -> int:
        """Return the id of a token text, spelled as in the vocabulary (``Ġthe``, ``▁the``).

        >>> tokenizer.token_to_id("Ġworld")
        1879

        Raises:
            VocabError: there is no such token.
        """
        found = self._components.id_of(token)
        if found is None:
            from tokenizers_lite.errors import VocabError

            raise VocabError(f"no token {token!r} in {self!r}; encode() turns any text into ids")
        return found

    def id_to_token(self, id: int) -> str:  # noqa: A002 - the field's own term
        """Return the token text of an id, spelled as in the vocabulary.

        >>> tokenizer.id_to_token(1879)
        'Ġworld'

        Raises:
            VocabError: there is no such id.
        """
        token = self._components.token_of(id)
        if token is None:
            from tokenizers_lite.errors import VocabError

            raise VocabError(f"no id {id} in {self!r}")
        return token

    def vocab(self) -> dict[str, int]:
        """Return a new dict of token text -> id, added tokens included.

        >>> tokenizer.vocab()["Ġworld"]
        1879
        """
        from tokenizers_lite._vocabulary import all_tokens

        return all_tokens(self.spec)

    @property
    def bos_id(self) -> int | None:
        """Id of the token that begins a text, if the model has one."""
        return self._components.id_of(self.spec.config.bos_token)

    @property
    def eos_id(self) -> int | None:
        """Id of the token that ends a text, if the model has one."""
        return self._components.id_of(self.spec.config.eos_token)

    @property
    def pad_id(self) -> int | None:
        """Id of the padding token, if the model has one."""
        return self._components.id_of(self.spec.config.pad_token)

    @property
    def unk_id(self) -> int | None:
        """Id of the unknown token, if the model has one."""
        return self._components.id_of(self.spec.config.unk_token or getattr(self.spec.model, "unk_token", None))

    @property
    def stop_ids(self) -> tuple[int, ...]:
        """Ids that end generation: those of generation_config.json, else EOS."""
        if self.spec.config.stop_ids:
            return self.spec.config.stop_ids
        return () if self.eos_id is None else (self.eos_id,)

    def with_tokens(self, tokens: Iterable[str | AddedToken], *, special: bool = False) -> Tokenizer:
        """Return a tokenizer that also knows `tokens`.

        >>> tokenizer.with_tokens(["<mask>"], special=True).encode("a<mask>")
        [64, 151669]

        Args:
            tokens: texts, or `AddedToken`s, whose ids are ignored: tokens of the
                vocabulary keep their id, others get the next free one. A text
                becomes an `AddedToken` whose `normalized` is the opposite of
                `special`, as in tokenizers' `add_tokens`/`add_special_tokens`.
            special: give them the special flag.
        """
        from tokenizers_lite._vocabulary import extended

        return Tokenizer(extended(self.spec, self._components.model, tokens, special), self.name)

    def save(self, path: str) -> None:
        """Write the tokenizer as a compact file, which `load(path)` maps in no time.

        The file is written beside `path`, read back, compared and renamed.

        >>> tokenizer.save("mine.tokc")
        >>> tokenizers_lite.load("mine.tokc").encode("Hello, world!")
        [9707, 11, 1879, 0]

        Raises:
            OSError: the file cannot be written.
        """
        from vocab_converters.compact import write

        write(self.spec, path)

    # ---------------------------------------------------------------- chat

    def apply_chat_template(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tokenize: bool = True,
        safe: bool = False,
        **options: Any,
    ) -> list[int] | str:
        """Render a conversation with the model's chat template.

        >>> tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], add_generation_prompt=True)
        [151644, 872, 198, 13048, 151645, 198, 151644, 77091, 198]

        Args:
            messages: mappings with "role" and "content", as transformers takes them.
            tokenize: return ids (no second BOS is added), else the text.
            safe: text of special tokens inside the messages stays plain text
                and cannot forge turns; only for `tokenize=True`.
            options: `add_generation_prompt` and `continue_final_message` (True or
                False), `tools` (JSON schemas or functions), `documents` (mappings),
                `chat_template` (a name or Jinja source), `now` (the `datetime`
                that the template sees), `limits` (`chat.bounds.Limits`) and
                whatever variables the template knows (`enable_thinking`, ...).

        Returns:
            Ids, or the text for ``tokenize=False``; equal to transformers'.

        Raises:
            TemplateError: there is no template, or it failed.
            MissingDependencyError: jinja2 is not installed.
        """
        from tokenizers_lite.chat import apply

        return apply(self, messages, tokenize=tokenize, safe=safe, **options)


def scalars(text: str) -> str:
    r"""Return `text` without surrogates: pairs joined, lone ones as U+FFFD.

    >>> scalars("\ud83e\udee0 \ud83e")
    '🫠 �'
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
