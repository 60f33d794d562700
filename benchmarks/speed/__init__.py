"""How fast is quanhe beside what one would take instead? ``benchmarks/speed.py`` is the command.

``catalogue`` lists what is compared, ``systems/`` holds one file for each, ``environments`` makes their virtual
environments, ``worker`` runs one of them in its own process, ``measure`` times that process from outside, ``rounds``
goes through all of them and remembers, ``report`` and ``plot`` write what came out.
"""
