"""Training of the demo company's stand-in for a language model: what callers say, the network, and its GGUF."""
