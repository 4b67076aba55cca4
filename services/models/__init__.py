"""Find, check and load a model; weights as safetensors only, no code of others."""
