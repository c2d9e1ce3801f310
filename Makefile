# Each target is one command; `make` alone says what there is.
SWIFT_FLAGS ?=

.PHONY: help bench demo test sanitize lint
help:
	@echo "make demo      watch two contenders, and nodes that die and come back (installs what is missing)"
	@echo "make test      run all tests, on real servers (installs what is missing)"
	@echo "make bench     measure the library beside the bare wire, in one run"
	@echo "make sanitize  run all tests under the thread sanitizer, then the address sanitizer"
	@echo "make lint      check the format"

demo:
	@.ci/needs
	@swift build --product redlock-demo $(SWIFT_FLAGS)
	@"$$(swift build --show-bin-path)/redlock-demo"

bench:
	@.ci/needs
	swift build -c release --product RedlockBench
	@"$$(swift build -c release --show-bin-path)/RedlockBench"

test:
	@.ci/needs
	swift test $(SWIFT_FLAGS)

sanitize:
	@.ci/needs
	swift test --sanitize=thread --scratch-path .build/thread
	swift test --sanitize=address --scratch-path .build/address

lint:
	swift format lint --strict --recursive Package.swift Sources Tests
