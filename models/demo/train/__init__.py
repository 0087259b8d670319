"""Make the German 8 kHz demo model for Vosk from nothing but sentences and the voice of espeak-ng.

sentences.txt ─ grammar ─► sentences ─► espeak ─► speech ─► augment ─► features ─► tdnn ─► nnet3 (am/final.mdl)
                               │          └─────► lexicon ──┐
                               └────────────────► bigram ───┴─► graph (HCLr.fst, Gr.fst, words.txt)
"""
