"""Classifiers of text revisions that transformers has no class for: with irtune's edit head, or over some families.

    from transformers import AutoModelForSequenceClassification
    model = AutoModelForSequenceClassification.from_pretrained(FOLDER, trust_remote_code=True)

An edit head is a linear map without bias. It reads the state of the last token, the mean of the states of deleted tokens, that
of inserted tokens (zeros where there are none), and counters of the change, standardised as `config.edit_head` says. States
are those after the final norm.

Which tokens changed, and the counters, are found by irtune alone: its comparison of words has no twin in Python. Let it
write them, one pair a line, and turn lines into a batch:

    irtune predict --run FOLDER --data pairs.jsonl --inputs > inputs.jsonl

    lines = [json.loads(line) for line in open("inputs.jsonl")]
    logits = model(**batch_of(lines, model.config.pad_token_id)).logits
"""

import torch
import transformers
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

try:
    from transformers.modeling_layers import GenericForSequenceClassification
except ImportError:  # an older transformers
    GenericForSequenceClassification = object


def batch_of(lines, pad_token_id=0):
    """The model's inputs from what `irtune predict --inputs` wrote: objects with tokens, removed, added and counters."""
    longest = max(len(line["tokens"]) for line in lines)
    shape = (len(lines), longest)
    batch = {
        "input_ids": torch.full(shape, pad_token_id or 0),
        "attention_mask": torch.zeros(shape, dtype=torch.long),
        "removed_mask": torch.zeros(shape),
        "added_mask": torch.zeros(shape),
        "counters": torch.tensor([line["counters"] for line in lines], dtype=torch.float32),
    }
    for row, line in enumerate(lines):
        length = len(line["tokens"])
        batch["input_ids"][row, :length] = torch.tensor(line["tokens"])
        batch["attention_mask"][row, :length] = 1
        batch["removed_mask"][row, line["removed"]] = 1
        batch["added_mask"][row, line["added"]] = 1
    return batch


class EditHead:
    """A decoder with an edit head; a family's class says which decoder."""

    def __init__(self, config):
        super().__init__(config)
        self.num_labels = config.num_labels
        self.model = self.decoder_class(config)
        width = 3 * config.hidden_size + len(config.edit_head["counters"])
        self.score = nn.Linear(width, config.num_labels, bias=False)
        self.post_init()

    def forward(self, input_ids, removed_mask, added_mask, counters, attention_mask=None, labels=None, **others):
        """Logits, `[examples, labels]`, and with labels their mean cross-entropy: of a softmax, or with the configuration's
        problem_type "multi_label_classification" of the sigmoid of each, `labels` then being `[examples, labels]` of 0 and 1.

        `removed_mask` and `added_mask`, `[examples, tokens]`, are 1 at tokens that were deleted and inserted; `counters`,
        `[examples, counters]`, are as they were counted.
        """
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        states = self.model(input_ids=input_ids, attention_mask=attention_mask, **others).last_hidden_state
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        last = (attention_mask.long() * places).argmax(-1)
        parts = [states[torch.arange(len(states), device=states.device), last]]
        for mask in (removed_mask, added_mask):
            mask = mask.to(states.dtype)
            count = mask.sum(-1, keepdim=True).clamp(min=1)
            parts.append((mask[:, None] @ states).squeeze(1) / count)
        scaling = lambda name: torch.tensor(self.config.edit_head[name], device=counters.device)
        counters = (counters.float() - scaling("mean")) / scaling("deviation")
        logits = self.score(torch.cat([*parts, counters.to(states.dtype)], -1))
        several = self.config.problem_type == "multi_label_classification"
        entropy = nn.functional.binary_cross_entropy_with_logits if several else nn.functional.cross_entropy
        loss = None if labels is None else entropy(logits.float(), labels.float() if several else labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)


class PooledHead(GenericForSequenceClassification):
    """A decoder whose last token's state is classified, of a family that transformers has no such class for."""


# What each family's configuration, decoder and base class begin with; an older transformers lacks some.
FAMILIES = {
    **{
        family: (family, family, family)
        for family in [
            "Llama", "Mistral", "Ministral", "Ministral3", "SmolLM3", "Qwen2", "Qwen3", "Gemma", "Gemma2", "Granite",
            "Olmo2", "Olmo3",
        ]
    },
    "Gemma3Text": ("Gemma3Text", "Gemma3Text", "Gemma3"),
}
for family, beginnings in FAMILIES.items():
    names = [name + end for name, end in zip(beginnings, ("Config", "Model", "PreTrainedModel"))]
    if all(hasattr(transformers, name) for name in names):
        config, decoder, base = (getattr(transformers, name) for name in names)
        parts = {"config_class": config, "decoder_class": decoder, "__module__": __name__}
        for task, head in [("Revision", EditHead), ("Sequence", PooledHead)]:
            name = f"{family}For{task}Classification"
            globals()[name] = type(name, (head, base), parts)
