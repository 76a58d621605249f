#!/usr/bin/env bash
# Fails when a built program lacks what makes a fault in memory hard to use: check_hardening.sh PROGRAM [optimised].
# With "optimised" it must have been built with _FORTIFY_SOURCE too, which needs an optimising compiler.
set -euo pipefail
case ${1:-} in
  -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit ;;
  "" | -*) echo "usage: check_hardening.sh PROGRAM [optimised]" >&2 && exit 2 ;;
esac
program=$1

header=$(readelf --wide --file-header --program-headers --dynamic "$program")
symbols=$(readelf --wide --dyn-syms "$program")
failed=0
need() { # WHAT TEXT PATTERN
  if ! grep -qE "$3" <<<"$2"; then
    echo "check_hardening.sh: $program has no $1" >&2
    failed=1
  fi
}

need "place of its own at each start (PIE)" "$header" '\(FLAGS_1\).*\bPIE\b'
need "table of functions that is read-only (RELRO)" "$header" '^ *GNU_RELRO '
need "early binding (-z now), without which that table stays writable" "$header" '\(FLAGS_1\).*\bNOW\b'
need "stack without code (noexecstack)" "$header" '^ *GNU_STACK .* RW +0x'
need "guards of its stack (-fstack-protector-strong)" "$symbols" ' UND __stack_chk_fail\b'
need "checks of the standard library (_GLIBCXX_ASSERTIONS)" "$symbols" ' UND _ZSt.*__glibcxx_assert_fail'
if [ "${2:-}" = optimised ]; then
  need "checks of the C library (_FORTIFY_SOURCE)" "$symbols" ' UND __fprintf_chk\b'
fi
exit $failed
