"""What a person does with atlases from a page: bring a corpus, order a build, rename, throw away, pack and unpack."""
