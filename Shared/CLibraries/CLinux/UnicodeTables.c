// In Embedded Swift, String's comparison asks these functions of the standard library's Unicode tables whether two spellings are one text.
// To the agent they never are: its texts are keys, paths and bytes from outside, which are equal when their bytes are. With these in their place
// the linker leaves 32 KB of tables out, a thirtieth of the program. What they return is the tables' own answer for most of all characters.
#ifdef FARWATCH_EMBEDDED
#include <stdint.h>

const uint8_t *const _swift_stdlib_nfd_decompositions = 0;

/// No combining class, and normal in every form.
uint16_t _swift_stdlib_getNormData(uint32_t scalar) {
    (void)scalar;
    return 0;
}

/// That of no character.
uint32_t _swift_stdlib_getDecompositionEntry(uint32_t scalar) {
    (void)scalar;
    return 0;
}

/// UINT32_MAX: the two do not compose.
uint32_t _swift_stdlib_getComposition(uint32_t first, uint32_t second) {
    (void)first;
    (void)second;
    return UINT32_MAX;
}
#endif
