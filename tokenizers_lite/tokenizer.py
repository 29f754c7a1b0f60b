"""The tokenizer: wires the components of a spec together; text -> ids -> text.

Immutable once made: options go with the call, `with_tokens` returns another
tokenizer, and the only state is a bounded cache of pieces and parts that are
built when first needed, so threads may share one.
"""

from __future__ import annotations

from tokenizers_lite._parts import PARTS
from tokenizers_lite.added import parts, split
from tokenizers_lite.spec import AddedToken, Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from array import array
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from typing import Any, BinaryIO, Literal

    from tokenizers_lite.added import AddedTokens
    from tokenizers_lite.decoders import Decoder
    from tokenizers_lite.decoders.plan import BytePlan
    from tokenizers_lite.encoding import Encoding
    from tokenizers_lite.models import Model
    from tokenizers_lite.models.sentencepiece import SentencePiece
    from tokenizers_lite.normalized import NormalizedString
    from tokenizers_lite.normalizers import Normalizer
    from tokenizers_lite.pipeline import Part, Pipeline
    from tokenizers_lite.post_processors import Frame, PostProcessor
    from tokenizers_lite.pre_tokenizers import PreTokenizer
    from tokenizers_lite.spec import Padding, Truncation
    from tokenizers_lite.stream import StreamDecoder

    Special = Collection[str] | Literal["all"]
    Skip = Callable[[int, int, AddedToken], bool]


# transformers 4.57, tokenization_utils_base.py, `clean_up_tokenization`; the order matters.
_CLEAN_UP = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)


class Tokenizer:
    """Text to ids and back, equal to Hugging Face `tokenizers` on the same files.

    Make one with `tokenizers_lite.load(name_or_path)` or `Tokenizer(spec)`.

    >>> tokenizer = load("qwen3")
    >>> tokenizer.encode("Hello, world!")
    [9707, 11, 1879, 0]
    >>> tokenizer.decode([9707, 11, 1879, 0])
    'Hello, world!'
    """

    spec: Spec
    name: str
    _added: AddedTokens
    _byte_plan: BytePlan | None
    _decoder: Decoder
    _engine: SentencePiece | None
    _frame: Frame | None
    _model: Model
    _needs_origins: bool
    _normalize: Callable[[str], str] | None
    _normalizer: Normalizer | None
    _pipeline: Pipeline
    _post_processor: PostProcessor
    _pre_tokenizer: PreTokenizer | None
    _skipped_ids: frozenset[int]
    vocab_size: int
    special_ids: frozenset[int]
    # The file of the package it was loaded from; such files stay as they are, so worker processes may open it again.
    _bundled = ""

    def __init__(self, spec: Spec, name: str = "", start: Mapping[str, Any] | None = None) -> None:
        """Wire up `spec`.

        Args:
            spec: the tokenizer.
            name: for display only.
            start: the hints of a compact file (`formats.compact.open_quick`).
                With them parts are made when first needed, so that a process
                that encodes one prompt makes next to none.

        Raises:
            SpecError: a component of the spec is unknown or contradicts another.
        """
        self.spec = spec
        self.name = name
        self._start = start or {}
        self._all_pieces: dict[bool, _Pieces] = {}
        if start is None:
            for part in ("_engine", "_model", "_normalizer", "_added", "_pre_tokenizer", "_post_processor", "_decoder"):
                getattr(self, part)

    def __getattr__(self, name: str) -> Any:
        """Make a part when it is first asked for; threads that race make the same part twice, harmlessly."""
        make = PARTS.get(name)
        if make is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = self.__dict__[name] = make(self)
        return value

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
        if disallowed_special:
            self._refuse(text, allowed_special, disallowed_special)
        frame = self._frame
        if frame is None:
            options: dict[str, Any] = {"add_special_tokens": add_special_tokens, "allowed_special": allowed_special}
            return list(self.encode_with_offsets(text, **options).ids)
        ids = self._ids(text, None if allowed_special == "all" else _skipping(allowed_special))
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

        Args:
            texts: any number of them.
            add_special_tokens: as in `encode`.
            allowed_special: as in `encode`.
            disallowed_special: as in `encode`.
            workers: how many processes share a large batch (`workers.MIN_CHARACTERS`
                and more; smaller ones are done sooner without); None or 1 is this
                process alone. `workers.Workers` keeps them over many batches.

        Raises:
            SpecialTokenError: a text contains a disallowed special token.
            WorkerError: a process ended before its time.
        """
        if workers is not None and workers != 1:
            from tokenizers_lite.workers import Workers

            options: dict[str, Any] = {"add_special_tokens": add_special_tokens, "allowed_special": allowed_special}
            with Workers(self, workers) as started:
                return started.encode_batch(texts, disallowed_special=disallowed_special, **options)
        return [
            self.encode(
                text,
                add_special_tokens=add_special_tokens,
                allowed_special=allowed_special,
                disallowed_special=disallowed_special,
            )
            for text in texts
        ]

    def encode_stream(
        self, parts: Iterable[str], *, add_special_tokens: bool = True, allowed_special: Special = "all"
    ) -> Iterator[array[int]]:
        """Turn a text that comes in parts into ids, in bounded memory.

        The text is cut only where that cannot change ids (`seams`), so the ids of
        all arrays in a row are those of `encode` of the whole text. Where a
        tokenizer or a text has no such places, it is held whole.

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
            TextError: `source` is not UTF-8; its `offset` says where.
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
        """Turn two texts into the ids of a pair, as `Tokenizer.encode(text, pair).ids`."""
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

        Offsets count characters of the text given (after surrogates are put
        right). `truncation` and `padding` apply to this call only.

        Returns:
            An `Encoding`, equal to Hugging Face's column by column.

        Raises:
            TruncationError: the input cannot be cut as asked.
        """
        from tokenizers_lite.encoding import pad_batch

        encoding = self._encoding(text, pair, add_special_tokens, allowed_special, truncation)
        return encoding if padding is None else pad_batch([encoding], padding)[0]

    def encode_batch_with_offsets(
        self,
        texts: Iterable[str | tuple[str, str]],
        *,
        add_special_tokens: bool = True,
        allowed_special: Special = "all",
        truncation: Truncation | None = None,
        padding: Padding | None = None,
    ) -> list[Encoding]:
        """Do what `encode_with_offsets` does for texts or pairs; `padding` makes them equally long."""
        from tokenizers_lite.encoding import pad_batch

        inputs = ((item, None) if isinstance(item, str) else item for item in texts)
        encodings = [
            self._encoding(text, pair, add_special_tokens, allowed_special, truncation) for text, pair in inputs
        ]
        return encodings if padding is None else pad_batch(encodings, padding)

    def _encoding(
        self,
        text: str,
        pair: str | None,
        add_special_tokens: bool,
        allowed_special: Special,
        truncation: Truncation | None,
    ) -> Encoding:
        from tokenizers_lite.encoding import truncate_pair

        skip = None if allowed_special == "all" else _skipping(allowed_special)
        a = self._aligned(scalars(text), 0, skip)
        b = None if pair is None else self._aligned(scalars(pair), 1, skip)
        if truncation is not None:
            n_added = self._post_processor.added_tokens(b is not None) if add_special_tokens else 0
            a, b = truncate_pair(a, b, truncation, n_added)
        return self._post_processor.process(a, b, add_special_tokens)

    def count(self, text: str, *, add_special_tokens: bool = True, allowed_special: Special = "all") -> int:
        """Return ``len(encode(text))`` with the same options."""
        return len(self.encode(text, add_special_tokens=add_special_tokens, allowed_special=allowed_special))

    def truncate(
        self, text: str, max_tokens: int, *, add_special_tokens: bool = True, allowed_special: Special = "all"
    ) -> str:
        """Return a prefix of `text` that takes at most `max_tokens` tokens, cut between characters.

        The prefix is as long as whole leading tokens allow; encoding it again
        never takes more than `max_tokens` tokens under the same options.
        """
        text = scalars(text)
        skip = None if allowed_special == "all" else _skipping(allowed_special)
        if self.count(text, add_special_tokens=add_special_tokens, allowed_special=allowed_special) <= max_tokens:
            return text
        frame = self._frame or ((), ())
        offsets = self._aligned(text, 0, skip).offsets
        keep = min(max_tokens - (sum(map(len, frame)) if add_special_tokens else 0), len(offsets) - 1)
        while keep > 0:
            # Ends before the first token too many: a character spread over tokens is kept whole or not at all.
            prefix = text[: offsets[keep][0]]
            size = self.count(prefix, add_special_tokens=add_special_tokens, allowed_special=allowed_special)
            if size <= max_tokens:
                return prefix
            # A post-processor may repeat the text, so that one token fewer of it is several fewer.
            keep -= 1 if self._frame is None else size - max_tokens
        return ""

    def _ids(self, text: str, skip: Skip | None) -> list[int]:
        """Return the ids of a text without what post-processing adds."""
        if not text:
            return []
        if self._engine is not None:
            return self._engine.encode(text)
        if self._needs_origins:
            return list(self._aligned(text, 0, skip).ids)
        return self._pipeline.encode(self._normalized_parts(text, skip))

    def _normalized_parts(self, text: str, skip: Skip | None) -> list[Part]:
        """Return the texts between added tokens, normalized, and the ids of the latter."""
        found: list[Part] = []
        normalize, normalized = self._normalize, self._added.normalized
        first = True
        for raw in parts(text, self._added.raw, skip):
            if isinstance(raw, int):
                found.append(raw)
            elif part := raw if normalize is None else normalize(raw):
                # (A model may have a token for the empty piece, but never gets to see one.)
                if not normalized.tokens:
                    found.append((part, first))
                else:
                    inner = parts(part, normalized, skip)
                    found += [
                        (item, first and not at) if isinstance(item, str) else item for at, item in enumerate(inner)
                    ]
            first = False
        return found

    def _aligned(self, text: str, type_id: int, skip: Skip | None) -> Encoding:
        """Return the encoding of a text without what post-processing adds."""
        from tokenizers_lite.encoding import Encoding
        from tokenizers_lite.normalized import NormalizedString

        rows: list[tuple[int, str, tuple[int, int], int]] = []  # id, token, offsets, word
        if self._engine is not None:
            found = self._engine.encode_with_offsets(text)
            rows = [(i, self.id_to_token(i), (s, e), w) for w, (i, s, e) in enumerate(found)]
        else:
            word = 0
            for part, id_ in self._parts(NormalizedString.of(text), skip):
                if id_ is not None:
                    rows.append((id_, part.text, part.offsets(), word))
                    word += 1
                    continue
                for piece in self._split(part):
                    rows += self._rows(piece, word, text)
                    word += 1
        columns = zip(*rows, strict=True) if rows else ((), (), (), ())
        return Encoding.of(*columns, type_id=type_id)  # type: ignore[misc]

    def _parts(self, text: NormalizedString, skip: Skip | None) -> Iterable[tuple[NormalizedString, int | None]]:
        """Yield the parts between and of added tokens, normalized, with the ids of the latter."""
        for start, end, id_ in split(text.text, self._added.raw, skip):
            part = text.slice(start, end)
            if id_ is not None:
                yield part, id_
                continue
            if self._normalizer is not None:
                part = self._normalizer.align(part)
            inner_skip = None if skip is None else _in_original(part, skip)
            for inner_start, inner_end, inner_id in split(part.text, self._added.normalized, inner_skip):
                yield part.slice(inner_start, inner_end), inner_id

    def _split(self, part: NormalizedString) -> list[NormalizedString]:
        if self._pre_tokenizer is None:
            return [part]
        return self._pre_tokenizer.pre_tokenize_aligned(part, part.offsets()[0] == 0)

    def _rows(self, piece: NormalizedString, word: int, text: str) -> list[tuple[int, str, tuple[int, int], int]]:
        # Unigram's unknown tokens keep the text they stand for.
        unk_id = getattr(self._model, "surface_unk_id", None)
        return [
            (
                id_,
                piece.text[start:end]
                if id_ == unk_id and self._model.is_surface(piece.text[start:end])  # type: ignore[attr-defined]
                else self._model.id_to_token(id_) or "",
                piece.original_range(start, end) if start >= 0 else _stray_range(text, ~start, ~end),
                word,
            )
            for id_, start, end in self._model.tokenize_with_offsets(piece.text)
        ]

    def _refuse(self, text: str, allowed: Special, disallowed: Special) -> None:
        """Raise if `text` contains a disallowed special token."""
        contents: Collection[str] = self._added.special_contents if disallowed == "all" else disallowed
        permitted = () if allowed == "all" and disallowed != "all" else allowed
        for content in contents:
            if permitted != "all" and content not in permitted and content in text:
                from tokenizers_lite.errors import SpecialTokenError

                raise SpecialTokenError(
                    f"the text contains the special token {content!r} at character {text.index(content)}. "
                    f"To recognise it, pass allowed_special={{{content!r}}}; to read it as plain text, pass "
                    "allowed_special=() and disallowed_special=(); to accept all, pass disallowed_special=()"
                )

    # ------------------------------------------------------------ decoding

    def decode(
        self, ids: Iterable[int], *, skip_special_tokens: bool = True, clean_up_tokenization_spaces: bool = False
    ) -> str:
        """Turn ids into text, as Hugging Face's `Tokenizer.decode`.

        Args:
            ids: ids; those that the vocabulary does not have are skipped, as there.
            skip_special_tokens: leave special tokens out. (The default is
                tokenizers'; transformers' is False.)
            clean_up_tokenization_spaces: drop blanks before punctuation and English
                contractions, as transformers' `decode` does for models whose
                configuration asks for it (``spec.config``). It is not reversible.
        """
        text = self._decode(ids, skip_special_tokens)
        if clean_up_tokenization_spaces:
            for blank, tidy in _CLEAN_UP:
                text = text.replace(blank, tidy)
        return text

    def _decode(self, ids: Iterable[int], skip_special_tokens: bool) -> str:
        if self._engine is not None:
            return self._engine.decode(list(ids))
        plan = self._byte_plan
        if plan is None or plan.first_differs:
            return self._decoder.decode(self._tokens(ids, skip_special_tokens))
        piece = self._pieces(plan, skip_special_tokens).__getitem__
        ids = ids if isinstance(ids, list) else list(ids)
        return plan.text_of(b"".join(map(piece, ids)), lambda: filter(None, map(piece, ids)))

    def decode_bytes(self, ids: Iterable[int], *, skip_special_tokens: bool = True) -> bytes:
        """Turn ids into bytes before invalid UTF-8 is replaced, for the decoders that have such bytes."""
        if self._engine is not None:
            return self._engine.decode_bytes(list(ids))
        return self._decoder.decode_bytes(self._tokens(ids, skip_special_tokens))

    def decode_batch(
        self, batch: Iterable[Iterable[int]], *, skip_special_tokens: bool = True, workers: int | None = None
    ) -> list[str]:
        """Turn lists of ids into texts, as `decode` of each; `workers` as in `encode_batch`."""
        if workers is not None and workers != 1:
            from tokenizers_lite.workers import Workers

            with Workers(self, workers) as started:
                return started.decode_batch(batch, skip_special_tokens=skip_special_tokens)
        return [self._decode(ids, skip_special_tokens) for ids in batch]

    def stream(self, *, skip_special_tokens: bool = True) -> StreamDecoder:
        """Return a decoder that takes ids one by one.

        The texts of its `push` and `finish` put together equal `decode` of all
        the ids; it never raises, and never shows half a character.
        """
        from tokenizers_lite.stream import StreamDecoder

        skip = self._skipped_ids if skip_special_tokens else frozenset()
        if self._engine is not None:
            return self._engine.stream()  # type: ignore[return-value]
        return StreamDecoder(self._token_or_none, self._decoder, skip)

    def _pieces(self, plan: BytePlan, skip_special_tokens: bool) -> _Pieces:
        """Return the table of what each id contributes to the text."""
        pieces = self._all_pieces.get(skip_special_tokens)
        if pieces is None:
            skip = self._added.special_contents if skip_special_tokens else frozenset()
            pieces = self._all_pieces[skip_special_tokens] = _Pieces(self._token_or_none, plan.piece, skip)
        return pieces

    def _tokens(self, ids: Iterable[int], skip_special_tokens: bool) -> list[str]:
        found = map(self._token_or_none, ids)
        if not skip_special_tokens:
            return [token for token in found if token is not None]
        special = self._added.special_contents
        return [token for token in found if token is not None and token not in special]

    def _token_or_none(self, id: int) -> str | None:  # noqa: A002
        added = self._added.text_of.get(id)
        return self._model.id_to_token(id) if added is None else added

    # ---------------------------------------------------------- vocabulary

    def token_to_id(self, token: str) -> int:
        """Return the id of a token text, spelled as in the vocabulary (``Ġthe``, ``▁the``).

        Raises:
            VocabError: there is no such token.
        """
        added = self._added.by_content.get(token)
        found = self._model.token_to_id(token) if added is None else added.id
        if found is None:
            from tokenizers_lite.errors import VocabError

            raise VocabError(f"no token {token!r} in {self!r}; encode() turns any text into ids")
        return found

    def id_to_token(self, id: int) -> str:  # noqa: A002 - the field's own term
        """Return the token text of an id, spelled as in the vocabulary.

        Raises:
            VocabError: there is no such id.
        """
        token = self._token_or_none(id)
        if token is None:
            from tokenizers_lite.errors import VocabError

            raise VocabError(f"no id {id} in {self!r}")
        return token

    def vocab(self) -> dict[str, int]:
        """Return a new dict of token text -> id, added tokens included."""
        model = self.spec.model
        if type(model).__name__ in ("Unigram", "SentencePiece"):
            pieces = model.vocab if hasattr(model, "vocab") else model.pieces
            tokens = {piece[0]: id_ for id_, piece in enumerate(pieces)}
        else:
            tokens = dict(model.vocab)
        tokens.update((token.content, token.id) for token in self.spec.added_tokens)
        return tokens

    def _config_id(self, token: str | None) -> int | None:
        if token is None:
            return None
        added = self._added.by_content.get(token)
        return self._model.token_to_id(token) if added is None else added.id

    @property
    def bos_id(self) -> int | None:
        """Id of the token that begins a text, if the model has one."""
        return self._config_id(self.spec.config.bos_token)

    @property
    def eos_id(self) -> int | None:
        """Id of the token that ends a text, if the model has one."""
        return self._config_id(self.spec.config.eos_token)

    @property
    def pad_id(self) -> int | None:
        """Id of the padding token, if the model has one."""
        return self._config_id(self.spec.config.pad_token)

    @property
    def unk_id(self) -> int | None:
        """Id of the unknown token, if the model has one."""
        return self._config_id(self.spec.config.unk_token or getattr(self.spec.model, "unk_token", None))

    @property
    def stop_ids(self) -> tuple[int, ...]:
        """Ids that end generation: those of generation_config.json, else EOS."""
        if self.spec.config.stop_ids:
            return self.spec.config.stop_ids
        return () if self.eos_id is None else (self.eos_id,)

    def with_tokens(self, tokens: Iterable[str | AddedToken], *, special: bool = False) -> Tokenizer:
        """Return a tokenizer that also knows `tokens`.

        A string becomes an `AddedToken` whose `normalized` is the opposite of
        `special`, as in tokenizers' `add_tokens`/`add_special_tokens`. Tokens
        of the vocabulary keep their id, others get the next free one; the ids
        of `AddedToken`s given are ignored.
        """
        added = {token.content: token for token in self.spec.added_tokens}
        for item in tokens:
            token = item if isinstance(item, AddedToken) else AddedToken(0, item, normalized=not special)
            if not token.content:
                continue
            known = added.get(token.content)
            id_ = known.id if known else self._model.token_to_id(token.content)
            if id_ is None:
                highest = max((t.id for t in added.values()), default=-1)
                id_ = max(self._model.vocab_size, highest + 1)
            added[token.content] = token.replace(id=id_, special=token.special or special)
        return Tokenizer(self.spec.replace(added_tokens=tuple(added.values())), self.name)

    def save(self, path: str) -> None:
        """Write the tokenizer as a compact file, which `load(path)` maps in no time.

        The file is written beside `path`, read back, compared and renamed.
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

        Args:
            messages: mappings with "role" and "content", as transformers takes them.
            tokenize: return ids (no second BOS is added), else the text.
            safe: text of special tokens inside the messages stays plain text
                and cannot forge turns; only for `tokenize=True`.
            options: `add_generation_prompt`, `continue_final_message`, `tools`,
                `documents`, `chat_template` (a name or Jinja source) and
                whatever variables the template knows (`enable_thinking`, ...).

        Returns:
            Ids, or the text for ``tokenize=False``; equal to transformers'.

        Raises:
            TemplateError: there is no template, or it failed.
            MissingDependencyError: jinja2 is not installed.
        """
        from tokenizers_lite.chat import apply

        return apply(self, messages, tokenize=tokenize, safe=safe, **options)


class _Pieces(dict[int, bytes]):
    """Id -> the bytes it contributes to decoded text, looked up when missing; empty if it is left out."""

    def __init__(self, token: Callable[[int], str | None], piece: Callable[[str], bytes], skip: frozenset[str]) -> None:
        super().__init__()
        self._token = token
        self._piece = piece
        self._skip = skip

    def __missing__(self, id_: int) -> bytes:
        token = self._token(id_)
        if token is None:
            return b""  # not kept: there is no bound on ids that do not exist
        piece = self[id_] = b"" if token in self._skip else self._piece(token)
        return piece


def scalars(text: str) -> str:
    """Return `text` without surrogates: pairs joined, lone ones as U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _stray_range(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the characters that tokenizers reports for bytes past the end of their piece.

    It then takes bytes of the piece for bytes of the whole text
    (`into_encoding` and `BytesToCharOffsetConverter` in pre_tokenizer.rs).
    """
    places = [at for at, char in enumerate(text) for _ in char.encode()]
    if start >= len(places):
        return start, end
    if end < len(places):
        return places[start], places[end]
    return places[start], (places[end - 1] if end <= len(places) else places[start] + 1) + 1


def _in_original(part: NormalizedString, skip: Skip) -> Skip:
    """Return `skip` for matches in a normalized part, told where they lie in the original text."""
    return lambda start, end, token: skip(*part.slice(start, end).offsets(), token)


def _skipping(allowed: Collection[str]) -> Skip:
    """Return a function that keeps special tokens out of the text unless `allowed` names them."""
    return lambda _start, _end, token: token.special and token.content not in allowed
