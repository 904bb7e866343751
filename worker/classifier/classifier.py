"""The classifier: texts in, labels and scores out."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from worker.classifier.checkpoint.card import stated_languages
from worker.classifier.checkpoint.checkpoint import find_checkpoint
from worker.classifier.checkpoint.int8_gate import require_passed
from worker.classifier.checkpoint.thresholds import load_thresholds
from worker.classifier.counters import Counters
from worker.classifier.encoded_text import EncodedText
from worker.classifier.loading.warm_up import warm_up
from worker.classifier.machine.process_tuning import keep_freed_memory, prepare_environment, return_freed_memory
from worker.classifier.score_cache import ScoreCache
from worker.classifier.text.canonical import CANONICAL_VIEW, canonical, read_tables
from worker.classifier.text.language import detector_for
from worker.classifier.text.texts import batched, each_text
from worker.classifier.text.tokenizer import most_characters
from worker.errors import Poison
from worker.facts import ModelFacts
from worker.settings import ModelSettings, OtherLanguages, Precision
from worker.types import Classification, ModelIdentity, TextFacts, Unscorable, ViewFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from worker.classifier.explaining import Explainer
    from worker.classifier.loading.assemble import LoadedModel
    from worker.classifier.logit_scorer import Evidence
    from worker.classifier.text.canonical import Reading
    from worker.classifier.text.language import LanguageDetector
    from worker.reasons.spans import Reasons
    from worker.verdicts import ThresholdSet

CLASSIFY_TEXTS = 1024
"""Texts that `classify` tokenizes and scores at once: enough to sort by length, little enough to hold."""


class Classifier:
    """A multi-label checkpoint, loaded and ready; satisfies `worker.protocols.Classifier`.

    `encode` may run on one thread while `score` runs on others: on as many at once as there are `lanes`.
    """

    def __init__(
        self,
        identity: ModelIdentity,
        thresholds: ThresholdSet,
        model_parts: LoadedModel,
        recent: ScoreCache,
        *,
        view: str | None,
        languages: LanguageDetector | None = None,
        review_others: bool = False,
        explainer: Explainer | None = None,
        lanes: int = 1,
    ) -> None:
        self._identity = identity
        self._explainer = explainer
        self._languages = languages
        self._review_others = review_others
        self._view = view
        self._thresholds = thresholds
        self._model = model_parts
        self._recent = recent
        self.counters = Counters()
        self._counting = threading.Lock()
        self._lanes = lanes

    @classmethod
    def load(
        cls,
        model: str | ModelSettings = "sluice-mini",
        *,
        gated: bool = True,
        side_by_side: bool = False,
        **settings: Any,
    ) -> Classifier:
        """Load a checkpoint: an embedded name, a folder, or a hub name.

        Args:
            model: Its name, or all model settings.
            gated: Refuse int8 to a checkpoint that has not passed its trial; only the trial itself says no.
            side_by_side: Expect calls of `score` on several threads at once, on as many as there are `lanes`.
            settings: Model settings by name (`revision="..."`, `threshold=0.7`, ...), over those of `model`.

        Raises:
            ModelFault: The checkpoint is absent, broken, or not one whose scores would be right.
            SettingsInvalid: The settings do not fit the model or this machine.
            pydantic.ValidationError: A setting is unknown or out of range.
        """
        given = {"id": model} if isinstance(model, str) else model.model_dump(exclude_unset=True)
        model_settings = ModelSettings.model_validate({**given, **settings})
        checkpoint = find_checkpoint(model_settings)
        found = load_thresholds(
            checkpoint.labels, checkpoint.folder, model_settings.thresholds, model_settings.threshold
        )
        prepare_environment()
        keep_freed_memory()
        with ThreadPoolExecutor(1, "digest") as background:
            digest = background.submit(checkpoint.digest)
            if model_settings.canonical_view:
                background.submit(read_tables)
            from worker.classifier.loading.assemble import assemble  # noqa: PLC0415 - torch takes seconds to import
            from worker.classifier.machine.hardware import threads_at_start  # noqa: PLC0415 - likewise

            if side_by_side and model_settings.threads is None:
                model_settings = model_settings.model_copy(update={"threads": threads_at_start()})
            model_parts = assemble(checkpoint, found.thresholds, model_settings, digest.result)
            if gated and model_parts.forward.precision == Precision.INT8:
                require_passed(checkpoint.folder, digest.result(), checkpoint.id)
            identity = ModelIdentity(
                checkpoint.id, checkpoint.revision, digest.result(), str(model_parts.forward.precision)
            )
        return_freed_memory()
        thresholds = found.used_with(identity.digest, foreign=model_settings.foreign_thresholds)
        view = CANONICAL_VIEW if model_settings.canonical_view else None
        lanes = model_parts.forward.open_lanes(model_settings.lanes) if side_by_side else 1
        return cls(
            identity,
            thresholds,
            model_parts,
            ScoreCache(model_settings.cache_entries),
            view=view,
            languages=detector_for(model_settings, stated_languages(checkpoint.folder)),
            review_others=model_settings.other_languages is OtherLanguages.REVIEW,
            explainer=model_parts.explainer,
            lanes=lanes,
        )

    def judging_by(self, thresholds: ThresholdSet, view: str | None) -> Classifier:
        """The same model with another threshold set and second reading.

        It shares the weights, counts for itself, and detects no language: a verdict is what the scores alone give.
        """
        parts = self._model._replace(scorer=self._model.scorer.judging_by(thresholds))
        recent = ScoreCache(0)
        return Classifier(self._identity, thresholds, parts, recent, view=view, languages=None, review_others=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels, in the model's order."""
        return self._model.scorer.labels

    @property
    def lanes(self) -> int:
        """How many threads should call `score` at once; 1 unless it is loaded for several."""
        return self._lanes

    @property
    def identity(self) -> ModelIdentity:
        """What computes the scores."""
        return self._identity

    @property
    def thresholds(self) -> ThresholdSet:
        """Which scores become labels."""
        return self._thresholds

    @property
    def view(self) -> str | None:
        """Name and version of the canonical reading that is scored too; None when texts are scored as written only."""
        return self._view

    @property
    def window_tokens(self) -> int:
        """Tokens a window holds, special tokens included."""
        return self._model.plan.max_tokens

    @property
    def pass_tokens(self) -> int:
        """Tokens computed at once."""
        return self._model.pass_tokens

    @property
    def padded_tokens(self) -> int:
        """Padding computed so far, in tokens."""
        return self._model.forward.padded_tokens

    @property
    def float32_retries(self) -> int:
        """Texts computed again in float32, for their score was not finite."""
        return self._model.scorer.retries

    def facts(self) -> ModelFacts:
        """What was counted so far."""
        counted = {name: count for name, count in asdict(self.counters).items() if name in ModelFacts._fields}
        return ModelFacts(
            **counted,
            padded_tokens=self.padded_tokens,
            float32_retries=self.float32_retries,
            texts_alone=self._model.scorer.computed_alone,
            memory_halvings=self._model.memory.halvings,
        )

    def encode(self, texts: Sequence[str]) -> list[EncodedText]:
        """Tokenize; one result per text, in order. Equal texts are tokenized once, recent ones not at all."""
        keys = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
        by_key: dict[bytes, EncodedText] = {}
        fresh: dict[bytes, str] = {}
        for key, text in zip(keys, texts, strict=True):
            if key in by_key or key in fresh:
                continue
            if known := self._recent.get(key):
                by_key[key] = EncodedText(key, [], known.text, known)
            else:
                fresh[key] = text
        capacity = self._model.plan.capacity
        readings = self._readings(fresh)
        all_ids = self._model.tokenizer.encode([*fresh.values(), *(one.text for one in readings.values())], capacity)
        views = dict(zip(readings, all_ids[len(fresh) :], strict=True))
        for key, ids in zip(fresh, all_ids, strict=False):
            windows = self._model.plan.windows(ids)
            facts = TextFacts(sum(map(len, windows)), len(windows), len(ids) > capacity)
            view = None
            if key in views and (second := self._model.plan.windows(views[key])) != windows:
                view = ViewFacts(readings[key].transforms, sum(map(len, second)))
                windows += second
            language = None if self._languages is None else self._languages.detect(fresh[key])
            written = None if self._explainer is None else fresh[key]
            by_key[key] = EncodedText(key, windows, facts, None, view, language, written)
        return [by_key[key] for key in keys]

    def _readings(self, texts: Mapping[bytes, str]) -> dict[bytes, Reading]:
        """The canonical readings that are not the text itself."""
        if self._view is None:
            return {}
        enough = most_characters(self._model.plan.capacity)
        readings = ((key, canonical(text, enough)) for key, text in texts.items())
        return {key: reading for key, reading in readings if reading.transforms}

    def score(self, encoded: Sequence[EncodedText]) -> list[Classification | Unscorable]:
        """Forward pass and sigmoid; one result per text, in order. Equal texts are computed once.

        Raises:
            Poison: These texts cannot be scored together; fewer of them may be.
            SluiceError: The model or its device is broken; nothing can be scored.
        """
        results: dict[bytes, Classification | Unscorable] = {}
        fresh: dict[bytes, EncodedText] = {}
        duplicates = hits = 0
        for text in encoded:
            if text.key in fresh:
                duplicates += 1
            elif known := text.known or self._recent.get(text.key):
                results[text.key] = known
                hits += 1
            elif text.windows:
                fresh[text.key] = text
            else:
                results[text.key] = Unscorable("NoTokens", "the tokenizer makes no token of this text")
        evidence: dict[int, Evidence] | None = None if self._explainer is None else {}
        scored = self._model.scorer.score([(text.windows, text.facts) for text in fresh.values()], evidence)
        for index, (key, result) in enumerate(zip(fresh, scored, strict=True)):
            if isinstance(result, Classification):
                result = self._completed(result, fresh[key])  # noqa: PLW2901 - the same result, with what encoding found
                if evidence and index in evidence:
                    result = result._replace(reasons=self._reasons(result, fresh[key], evidence[index]))  # noqa: PLW2901 - likewise
                self._recent.put(key, result)
            results[key] = result
        ordered = [results[text.key] for text in encoded]
        with self._counting:
            self.counters.duplicate_texts += duplicates
            self.counters.cache_hits += hits
            self.counters.add(encoded, fresh.values(), ordered)
        return ordered

    def _completed(self, result: Classification, text: EncodedText) -> Classification:
        """The result with what was found of its text before it was scored."""
        language = text.language
        if self._review_others and language is not None and language.supported is False:
            return result._replace(view=text.view, language=language, acted=(), needs_review=True)
        return result._replace(view=text.view, language=language)

    def _reasons(self, result: Classification, text: EncodedText, evidence: Evidence) -> Reasons | None:
        if self._explainer is None or text.written is None:
            return None
        return self._explainer.explain(text.written, result.labels, text.facts.windows, evidence)

    def classify(self, texts: str | Iterable[str]) -> list[Classification]:
        """Labels and scores of each text, in order.

        Columns of scores beside a table's own, in pandas and in polars:

            scores = [found.scores for found in classifier.classify(frame["text"])]
            frame.join(pandas.DataFrame(scores, index=frame.index))  # or frame.hstack(polars.DataFrame(scores))

        Args:
            texts: Texts from a list, a column of a pandas or polars frame, a generator, ...; a string is one text.

        Raises:
            TypeError: Something is not a text; the message gives its position and type.
            Poison: A text cannot be scored; the message gives its position. (`encode` and `score` give a result
                for every text.)
            SluiceError: As `score`.
        """
        results: list[Classification] = []
        for part in batched(each_text(texts), CLASSIFY_TEXTS):
            for result in self.score(self.encode(part)):
                if isinstance(result, Unscorable):
                    message = f"text {len(results)} cannot be scored: {result.reason}"
                    raise Poison(message)
                results.append(result)
        return results

    def warm_up(self) -> None:
        """Compute a short, a middling and a full window once, so that the first comments do not pay for it.

        Raises:
            ModelFault: The model cannot compute a window, or its scores are not finite: its weights are broken.
        """
        warm_up(self._model, self._identity.id)
