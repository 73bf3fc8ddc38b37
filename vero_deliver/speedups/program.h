/* Templates as trees of nodes: what render.program_tree writes, run for plain values.

   A program never fails by itself: where a value or a look-up is out of the ordinary, and where
   Python code that it calls raises, all that it did is dropped, and the generated Python code of
   the template runs in its place. So there are no errors here that somebody could read. */

#ifndef VERO_DELIVER_PROGRAM_H
#define VERO_DELIVER_PROGRAM_H

#include "speedups.h"

#define DEEPEST 100 /* nodes within nodes */
#define MOST_LOCALS 64
#define MOST_LOOPS 16

/* As render.program_tree numbers them. A node's `number` and `value` mean what stands behind. */
typedef enum {
    CONSTANT,  /* value */
    VARIABLE,  /* value: its name */
    LOCAL,     /* number: its place */
    ATTRIBUTE, /* of a child; value: its name */
    ITEM,      /* of a child; value: the key */
    NOT,
    AND,
    OR,
    CHOICE,   /* of a test, what is meant where it holds, and where not */
    COMPARE,  /* number: Py_LT to Py_GE */
    CONTAINS, /* number: 1 for `not in`; item and container */
    COMPUTE,  /* number: see compute() */
    NEGATE,
    CALL,      /* value: function and first arguments; children: the others */
    DIVISIBLE, /* as CALL */
    ADDRESS,   /* as CALL */
    STYLE,     /* as CALL */
    QUOTE,     /* as CALL; number: 1 for a query, where a space is a plus, and a slash quoted */
    MONEY,     /* as CALL; number: which of the run's writers */
    LOOP,      /* number: which loop, times LOOP_FACTS, and what is asked of it */
    PRINT,     /* children: constant, value, constant, value, ... */
    WHEN,      /* test, what is done where it holds, and where not */
    EACH_OF,   /* number: place of the item; value: which loop; list, body, what is done without */
    KEEP,      /* number: place */
    ALL,       /* one after the other */
    KINDS
} Kind;

typedef enum { INDEX, INDEX0, FIRST, LAST, LENGTH, REVINDEX, REVINDEX0, LOOP_FACTS } Fact;

typedef struct Node {
    Kind kind;
    Py_ssize_t number, count;
    PyObject *value;
    struct Node *children[];
} Node;

typedef struct {
    PyObject_HEAD
    Node *root;
    PyObject *getattr, *getitem, *missing; /* of the environment */
    PyObject *text;                        /* a value as the template prints it */
    PyObject *plain;                       /* types of values that reading does not change */
    int escapes;                           /* texts, for HTML */
} Program;

typedef struct {
    const Program *program;
    PyObject *given, *writers, *pieces;
    Py_ssize_t printed, most;
    int clean;
    PyObject *locals[MOST_LOCALS];
    struct {
        Py_ssize_t at, length;
    } loops[MOST_LOOPS];
} Run;

#ifdef __GNUC__
#pragma GCC visibility push(hidden)
#endif

/* The value of an expression: a new reference, or NULL to give up, perhaps with an error set. */
PyObject *evaluated(const Node *node, Run *run);

/* Whether the value may be read twice: once here, once by the template's code. */
int is_plain(PyObject *value, const Run *run);

/* Whether a test holds; -1 to give up. */
int holds(const Node *test, Run *run);

/* Do what a statement says: 0, or -1 to give up. */
int done(const Node *node, Run *run);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

static inline int
is_number(PyObject *value)
{
    return PyLong_CheckExact(value) || PyFloat_CheckExact(value);
}

#endif
