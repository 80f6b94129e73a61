"""The command line: running a graph, and the verbs beside it. One file each, imported when it is used."""
