"""LoRA and its relatives, merged into a checkpoint's weights and taken off again bit for bit.

How the engine uses it:

1. While a job is prepared, `activation.activate(checkpoint, tags, inventory)` finds the files, dresses the checkpoint and
   answers `(adapters, notes)`. Encode the prompts then: text encoders are dressed too.
2. `adapters` (an `AdapterSet`, hashable) belongs in the key by which rows are batched: only rows of the same set share a
   forward. `()` is the bare checkpoint.
3. Before each forward of such a batch, `checkpoint.wardrobe.wear(adapters)`: it costs nothing when the set is worn already
   and exchanges pointers when it was worn lately.
"""
