# hbd: one file, no configure step. `make help` lists the targets.

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:

VERSION := 0.1.0

# Yours to set.
CC       ?= cc
CLANG    ?= clang
PREFIX   ?= /usr
SYSCONFDIR ?= /etc
LIBDIR   ?= $(PREFIX)/lib
SBINDIR  ?= $(PREFIX)/sbin
MANDIR   ?= $(PREFIX)/share/man
UNITDIR  ?= $(PREFIX)/lib/systemd/system
DESTDIR  ?=
CFLAGS   ?= -O2 -g
LDFLAGS  ?=
V        ?= 0
VARIANT  ?= release

B := build/$(VARIANT)
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' '$(1)' '$(2)';)

PKG_CONFIG ?= pkg-config
PACKAGES := libnl-3.0 libnl-route-3.0 libconfig libsystemd libsodium libcap-ng jansson
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wundef -Wvla -Wstrict-prototypes \
	-Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wswitch-enum -Wimplicit-fallthrough

# A flag that this compiler accepts, or nothing.
probe = $(shell printf 'int main(void){return 0;}' | \
	$(CC) -Werror $(1) -x c - -o /dev/null >/dev/null 2>&1 && echo $(1))
HARDENING := -fstack-protector-strong -fPIE $(call probe,-fstack-clash-protection) \
	$(call probe,-fcf-protection=full) $(call probe,-ftrivial-auto-var-init=zero) \
	$(call probe,-fstrict-flex-arrays=3)
HARDENING_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack

OWN_CFLAGS := -std=gnu11 -D_GNU_SOURCE -DHBD_VERSION='"$(VERSION)"' \
	-DHBD_PLUGIN_DIR='"$(LIBDIR)/hbd/plugins"' $(WARNINGS) $(PKG_CFLAGS)
OWN_LDFLAGS :=

ifeq ($(VARIANT),release)
OWN_CFLAGS += $(HARDENING) $(if $(findstring -O0,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
OWN_LDFLAGS += $(HARDENING_LD)
else ifeq ($(VARIANT),debug)
OWN_CFLAGS += -Werror -O0 -g3
else ifeq ($(VARIANT),asan)
OWN_CFLAGS += -Werror -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all
OWN_LDFLAGS += -fsanitize=address,undefined
else ifeq ($(VARIANT),tsan)
OWN_CFLAGS += -Werror -O1 -g -fsanitize=thread
OWN_LDFLAGS += -fsanitize=thread
else ifeq ($(VARIANT),cover)
OWN_CFLAGS += -O0 -g --coverage
OWN_LDFLAGS += --coverage
else ifeq ($(VARIANT),fuzz)
CC := $(CLANG)
OWN_CFLAGS += -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
OWN_LDFLAGS += -fsanitize=fuzzer,address,undefined
else
$(error VARIANT is one of release debug asan tsan cover fuzz, not '$(VARIANT)')
endif

# Everything but the programs' main files goes into one archive.
MAINS := hbd/main.c hbd/control/hbctl.c
LIB_SOURCES := $(filter-out $(MAINS),$(wildcard hbd/*/*.c))
LIB_OBJECTS := $(LIB_SOURCES:%.c=$(B)/%.o)
LIB := $(B)/libhbd.a

PROGRAMS := $(if $(wildcard hbd/main.c),$(B)/hbd) $(if $(wildcard hbd/control/hbctl.c),$(B)/hbctl)

# A plugin is one C file or one script, plugins/KIND/NAME[.c].
PLUGIN_SOURCES := $(wildcard plugins/*/*.c)
PLUGINS := $(PLUGIN_SOURCES:%.c=$(B)/%)

UNIT_SOURCES := $(wildcard tests/unit/test_*.c)
UNITS := $(UNIT_SOURCES:%.c=$(B)/%)

.PHONY: all
all: $(PROGRAMS) $(PLUGINS) ## build the programs and plugins (VARIANT=release|debug|asan|tsan|cover|fuzz)

$(B)/flags: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(CC) $(OWN_CFLAGS) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS)' | cmp -s - $@ || \
		echo '$(CC) $(OWN_CFLAGS) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS)' > $@
.PHONY: FORCE
FORCE:

$(B)/%.o: %.c $(B)/flags
	$(Q)mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CFLAGS) $(OWN_CFLAGS) -MMD -MP -c $< -o $@

$(LIB): $(LIB_OBJECTS)
	$(call say,AR,$@)rm -f $@ && ar rcs $@ $^

$(B)/hbd: $(B)/hbd/main.o $(LIB)
	$(call say,LD,$@)$(CC) $(OWN_LDFLAGS) $(LDFLAGS) $^ $(PKG_LIBS) -o $@

$(B)/hbctl: $(B)/hbd/control/hbctl.o $(LIB)
	$(call say,LD,$@)$(CC) $(OWN_LDFLAGS) $(LDFLAGS) $^ $(PKG_LIBS) -o $@

$(B)/plugins/%: $(B)/plugins/%.o
	$(call say,LD,$@)$(CC) $(OWN_LDFLAGS) $(LDFLAGS) $^ -ljansson -lcurl -lsystemd -o $@

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(LIB)
	$(call say,LD,$@)$(CC) $(OWN_LDFLAGS) $(LDFLAGS) $^ -lcmocka $(PKG_LIBS) -o $@

.PHONY: unit
unit: $(UNITS) ## unit tests (cmocka)
	@set -e; for test in $(UNITS); do echo "== $$test"; $$test; done

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build

.PHONY: help
help: ## this list
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

-include $(shell test -d build && find build -name '*.d')
