"""Judgement by a language model: the prompt, the choices it has, and where the model runs."""
