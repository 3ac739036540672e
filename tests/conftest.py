"""What all tests share."""

import hypothesis

# How long an example takes is the machine's affair, which others use at the same time.
hypothesis.settings.register_profile("rtgenre", deadline=None)
hypothesis.settings.load_profile("rtgenre")
