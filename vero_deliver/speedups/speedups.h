/* What the files of this folder share. Each function of the module does for common input, byte for
   byte, what Python does for all input, and leaves the rest to that; __init__.py says which. */

#ifndef VERO_DELIVER_SPEEDUPS_H
#define VERO_DELIVER_SPEEDUPS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#define EACH(byte) (0x0101010101010101ULL * (byte))
#define HIGH EACH(0x80)

/* A word with the high bit set for each byte of eight that is not 0x20 to 0x7e, or that is `but`.
   More bits may be set above the lowest one that is. */
static inline uint64_t
odd_bytes(uint64_t eight, uint64_t but)
{
    uint64_t delete = eight ^ EACH(0x7f), unwanted = eight ^ but;
    return ((eight - EACH(0x20)) | eight | (delete - EACH(1)) | (unwanted - EACH(1))) & HIGH;
}

/* How many bytes from the start are printable ASCII other than `but`; 0x7f for none. */
static inline Py_ssize_t
plain_span(const char *text, Py_ssize_t size, unsigned char but)
{
    Py_ssize_t at = 0;
    uint64_t eight;
    for (; at + 8 <= size; at += 8) {
        memcpy(&eight, text + at, 8);
        if (odd_bytes(eight, EACH(but))) {
            break;
        }
    }
    for (; at < size; at++) {
        unsigned char byte = (unsigned char)text[at];
        if (byte < 0x20 || byte >= 0x7f || byte == but) {
            break;
        }
    }
    return at;
}

/* The text as UTF-8; NULL with an error set for lone surrogates. ASCII is at hand. */
static inline const char *
utf8(PyObject *text, Py_ssize_t *size)
{
    if (PyUnicode_IS_COMPACT_ASCII(text)) {
        *size = PyUnicode_GET_LENGTH(text);
        return (const char *)PyUnicode_1BYTE_DATA(text);
    }
    return PyUnicode_AsUTF8AndSize(text, size);
}

#ifdef __GNUC__
#pragma GCC visibility push(hidden)
#endif

/* What looked_through() finds: a character that HTML escapes, one that render.clean replaces. */
enum { SPECIAL = 1, DIRTY = 2 };

int looked_through(PyObject *text);

/* The text with its special characters as references. */
PyObject *escaped(PyObject *text);

/* To be called once, before the two. */
void set_up_text(void);

/* Functions of the module. */
PyObject *collect(PyObject *, PyObject *const *, Py_ssize_t);
PyObject *encode(PyObject *, PyObject *const *, Py_ssize_t);
PyObject *figures(PyObject *, PyObject *);
PyObject *modified(PyObject *, PyObject *);
PyObject *relaxed_fields(PyObject *, PyObject *);

/* The class Program. */
PyObject *program_type(void);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
