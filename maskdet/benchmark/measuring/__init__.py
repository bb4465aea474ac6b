"""How a run is measured: processes, rounds, the machine, the pictures, the runtimes."""
