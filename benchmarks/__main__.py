"""`python -m benchmarks`: every benchmark there is."""

from benchmarks.classify import main

if __name__ == "__main__":
    main()
