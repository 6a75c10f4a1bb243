"""Sandbox: native decoders run in confined processes, each of which decodes one file and ends.

``border.py`` says what crosses; ``pool.py`` is the program's side; ``parent.py`` is a process that forks decoders;
``confinement.py`` holds their limits.
"""
