/* Runs what render.program made of a template, for plain values.

   A program never fails by itself: where a value or a look-up is out of the ordinary, and where
   Python code that it calls raises, all that it did is dropped, and the generated Python code of
   the template runs in its place. So there are no errors here that somebody could read. */

#include "speedups.h"

#define DEEPEST 100 /* nodes within nodes */
#define MOST_LOCALS 64
#define MOST_LOOPS 16

/* As render.program numbers them. A node's `number` and `value` mean what stands behind. */
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

/* ---- expressions: a new reference, or NULL to give up, perhaps with an error set ---- */

static PyObject *evaluated(const Node *node, Run *run);

static int
is_number(PyObject *value)
{
    return PyLong_CheckExact(value) || PyFloat_CheckExact(value);
}

static int
is_scalar(PyObject *value)
{
    return PyUnicode_CheckExact(value) || is_number(value) || PyBool_Check(value) ||
           value == Py_None;
}

/* -1 to give up. */
static int
truth(PyObject *value)
{
    if (value == Py_True || value == Py_False) {
        return value == Py_True;
    }
    if (is_scalar(value) || PyDict_CheckExact(value) || PyList_CheckExact(value) ||
        PyTuple_CheckExact(value)) {
        return PyObject_IsTrue(value);
    }
    return -1;
}

/* -1 to give up. */
static int
holds(const Node *test, Run *run)
{
    PyObject *value = evaluated(test, run);
    int found = value == NULL ? -1 : truth(value);
    Py_XDECREF(value);
    return found;
}

static PyObject *
variable(const Node *node, Run *run)
{
    PyObject *value = PyDict_GetItemWithError(run->given, node->value);
    if (value != NULL) {
        return Py_NewRef(value);
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    return PyObject_CallOneArg(run->program->missing, node->value);
}

static PyObject *
found_in(const Node *node, Run *run, PyObject *ask)
{
    PyObject *of = evaluated(node->children[0], run), *value = NULL;
    if (of == NULL) {
        return NULL;
    }
    if (PyDict_CheckExact(of) && PyUnicode_CheckExact(node->value)) {
        value = PyDict_GetItemWithError(of, node->value);
    }
    else if (PyList_CheckExact(of) && PyLong_CheckExact(node->value)) {
        Py_ssize_t at = PyLong_AsSsize_t(node->value), length = PyList_GET_SIZE(of);
        at = at < 0 ? at + length : at;
        value = at >= 0 && at < length ? PyList_GET_ITEM(of, at) : NULL;
    }
    Py_XINCREF(value);
    if (value == NULL && !PyErr_Occurred()) {
        value = PyObject_CallFunctionObjArgs(ask, of, node->value, NULL);
    }
    Py_DECREF(of);
    return value;
}

/* The function of a CALL with its first arguments and these, whose references it takes. */
static PyObject *
called(const Node *node, PyObject **arguments)
{
    Py_ssize_t first = PyTuple_GET_SIZE(node->value) - 1;
    PyObject *all = PyTuple_New(first + node->count), *result = NULL;
    for (Py_ssize_t at = 0; at < first && all != NULL; at++) {
        PyTuple_SET_ITEM(all, at, Py_NewRef(PyTuple_GET_ITEM(node->value, at + 1)));
    }
    for (Py_ssize_t at = 0; at < node->count; at++) {
        if (all == NULL) {
            Py_DECREF(arguments[at]);
        }
        else {
            PyTuple_SET_ITEM(all, first + at, arguments[at]);
        }
    }
    if (all != NULL) {
        result = PyObject_CallObject(PyTuple_GET_ITEM(node->value, 0), all);
        Py_DECREF(all);
    }
    return result;
}

static int
starts(PyObject *value, const char *with)
{
    Py_ssize_t size, length = (Py_ssize_t)strlen(with);
    const char *text = utf8(value, &size);
    if (text == NULL) {
        PyErr_Clear();
        return 0;
    }
    return size >= length && memcmp(text, with, (size_t)length) == 0;
}

static int
is_alphanumeric(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

/* Whether places.css_value gives the value back. */
static int
is_plain_style(PyObject *value)
{
    Py_ssize_t size;
    const char *text = utf8(value, &size);
    if (text == NULL) {
        PyErr_Clear();
        return 0;
    }
    for (Py_ssize_t at = 0; at < size; at++) {
        unsigned char byte = (unsigned char)text[at];
        if (!is_alphanumeric(byte) && (byte == '\0' || strchr("#.% ,-", byte) == NULL)) {
            return 0;
        }
    }
    return 1;
}

/* As urllib.parse.quote has it, and quote_plus. */
static PyObject *
quoted(PyObject *value, int in_query)
{
    static const char digits[] = "0123456789ABCDEF";
    char quoted[3 * 200], *to = quoted;
    Py_ssize_t size;
    const char *text = utf8(value, &size);
    if (text == NULL) {
        PyErr_Clear();
        return NULL;
    }
    if (size > 200) {
        return NULL;
    }
    for (Py_ssize_t at = 0; at < size; at++) {
        unsigned char byte = (unsigned char)text[at];
        if (is_alphanumeric(byte) || (byte != '\0' && strchr("_.-~", byte) != NULL) ||
            (byte == '/' && !in_query)) {
            *to++ = (char)byte;
        }
        else if (byte == ' ' && in_query) {
            *to++ = '+';
        }
        else {
            *to++ = '%';
            *to++ = digits[byte >> 4];
            *to++ = digits[byte & 15];
        }
    }
    return PyUnicode_FromStringAndSize(quoted, to - quoted);
}

/* What a CALL would give, where that can be told without calling; NULL, and no error, else. */
static PyObject *
short_way(const Node *node, Run *run, PyObject **arguments)
{
    PyObject *value = arguments[0], *written;
    switch (node->kind) {
    case ADDRESS:
        if (PyUnicode_CheckExact(value) &&
            (starts(value, "https://") || starts(value, "http://") || starts(value, "mailto:"))) {
            return Py_NewRef(value);
        }
        return NULL;
    case STYLE:
        return PyUnicode_CheckExact(value) && is_plain_style(value) ? Py_NewRef(value) : NULL;
    case QUOTE:
        return PyUnicode_CheckExact(value) && node->count == 1 ? quoted(value, (int)node->number)
                                                               : NULL;
    case DIVISIBLE:
        if (node->count == 2 && PyLong_CheckExact(value) && PyLong_CheckExact(arguments[1])) {
            int big, bigger;
            long long number = PyLong_AsLongLongAndOverflow(value, &big);
            long long by = PyLong_AsLongLongAndOverflow(arguments[1], &bigger);
            if (!big && !bigger && by > 0) {
                return PyBool_FromLong(number % by == 0);
            }
        }
        return NULL;
    case MONEY:
        if (node->number >= PyTuple_GET_SIZE(run->writers) || !is_number(value)) {
            return NULL;
        }
        written = PyTuple_GET_ITEM(run->writers, node->number);
        if (written == Py_None) {
            return NULL;
        }
        written = PyObject_CallOneArg(written, value);
        if (written != NULL && PyUnicode_Check(written) && PyUnicode_GET_LENGTH(written) == 0) {
            Py_DECREF(written);
            return NULL;
        }
        return written;
    default:
        return NULL;
    }
}

static PyObject *
call(const Node *node, Run *run)
{
    PyObject *arguments[8];
    for (Py_ssize_t at = 0; at < node->count; at++) {
        arguments[at] = evaluated(node->children[at], run);
        if (arguments[at] == NULL) {
            while (at-- > 0) {
                Py_DECREF(arguments[at]);
            }
            return NULL;
        }
    }
    PyObject *result = node->kind == CALL ? NULL : short_way(node, run, arguments);
    if (result == NULL && !PyErr_Occurred()) {
        return called(node, arguments);
    }
    for (Py_ssize_t at = 0; at < node->count; at++) {
        Py_DECREF(arguments[at]);
    }
    return result;
}

/* Whether arithmetic with it is bounded. */
static int
is_small(PyObject *value)
{
    int big = 0;
    if (PyLong_CheckExact(value)) {
        PyLong_AsLongLongAndOverflow(value, &big);
    }
    return is_number(value) && !big;
}

static PyObject *
compute(Py_ssize_t operator, PyObject *left, PyObject *right)
{
    if (!is_small(left) || !is_small(right)) {
        return NULL;
    }
    switch (operator) {
    case 0:
        return PyNumber_Add(left, right);
    case 1:
        return PyNumber_Subtract(left, right);
    case 2:
        return PyNumber_Multiply(left, right);
    case 3:
        return PyNumber_TrueDivide(left, right);
    case 4:
        return PyNumber_FloorDivide(left, right);
    case 5:
        return PyNumber_Remainder(left, right);
    default:
        return NULL;
    }
}

static PyObject *
contains(const Node *node, PyObject *item, PyObject *container)
{
    int text = PyUnicode_CheckExact(container) && PyUnicode_CheckExact(item);
    int other = (PyDict_CheckExact(container) || PyList_CheckExact(container) ||
                 PyTuple_CheckExact(container)) &&
                is_scalar(item);
    int found = text || other ? PySequence_Contains(container, item) : -1;
    return found < 0 ? NULL : PyBool_FromLong(found != (int)node->number);
}

static PyObject *
of_two(const Node *node, Run *run)
{
    PyObject *left = evaluated(node->children[0], run), *result = NULL;
    PyObject *right = left == NULL ? NULL : evaluated(node->children[1], run);
    if (right != NULL) {
        if (node->kind == COMPUTE) {
            result = compute(node->number, left, right);
        }
        else if (node->kind == CONTAINS) {
            result = contains(node, left, right);
        }
        else if (is_scalar(left) && is_scalar(right)) {
            result = PyObject_RichCompare(left, right, (int)node->number);
        }
    }
    Py_XDECREF(left);
    Py_XDECREF(right);
    return result;
}

static PyObject *
loop_fact(const Node *node, Run *run)
{
    Py_ssize_t at = run->loops[node->number / LOOP_FACTS].at;
    Py_ssize_t length = run->loops[node->number / LOOP_FACTS].length;
    switch ((Fact)(node->number % LOOP_FACTS)) {
    case INDEX:
        return PyLong_FromSsize_t(at + 1);
    case INDEX0:
        return PyLong_FromSsize_t(at);
    case FIRST:
        return PyBool_FromLong(at == 0);
    case LAST:
        return PyBool_FromLong(at == length - 1);
    case LENGTH:
        return PyLong_FromSsize_t(length);
    case REVINDEX:
        return PyLong_FromSsize_t(length - at);
    case REVINDEX0:
        return PyLong_FromSsize_t(length - at - 1);
    default:
        return NULL;
    }
}

static PyObject *
evaluated(const Node *node, Run *run)
{
    PyObject *value;
    int found;
    switch (node->kind) {
    case CONSTANT:
        return Py_NewRef(node->value);
    case VARIABLE:
        return variable(node, run);
    case LOCAL:
        return Py_XNewRef(run->locals[node->number]);
    case ATTRIBUTE:
        return found_in(node, run, run->program->getattr);
    case ITEM:
        return found_in(node, run, run->program->getitem);
    case NOT:
        found = holds(node->children[0], run);
        return found < 0 ? NULL : PyBool_FromLong(!found);
    case AND:
    case OR:
        value = evaluated(node->children[0], run);
        found = value == NULL ? -1 : truth(value);
        if (found == (node->kind == OR)) {
            return value;
        }
        Py_XDECREF(value);
        return found < 0 ? NULL : evaluated(node->children[1], run);
    case CHOICE:
        found = holds(node->children[0], run);
        return found < 0 ? NULL : evaluated(node->children[found ? 1 : 2], run);
    case COMPARE:
    case CONTAINS:
    case COMPUTE:
        return of_two(node, run);
    case NEGATE:
        value = evaluated(node->children[0], run);
        PyObject *negated = value == NULL || !is_number(value) ? NULL : PyNumber_Negative(value);
        Py_XDECREF(value);
        return negated;
    case CALL:
    case DIVISIBLE:
    case ADDRESS:
    case STYLE:
    case QUOTE:
    case MONEY:
        return call(node, run);
    case LOOP:
        return loop_fact(node, run);
    default:
        return NULL;
    }
}

/* ---- statements: 0, or -1 to give up ---- */

/* The value as it is printed; takes the reference. */
static PyObject *
printed(PyObject *value, Run *run)
{
    const Program *program = run->program;
    PyObject *text = NULL;
    if (PyUnicode_CheckExact(value)) {
        text = Py_NewRef(value);
    }
    else if (is_number(value)) {
        text = PyObject_Str(value);
    }
    else {
        text = PyObject_CallOneArg(program->text, value);
    }
    int is_final = !PyUnicode_CheckExact(value);
    Py_DECREF(value);
    if (text == NULL || !PyUnicode_CheckExact(text)) {
        Py_XDECREF(text);
        return NULL;
    }
    int found = looked_through(text);
    if (found & DIRTY) {
        run->clean = 0;
    }
    if (found & SPECIAL && !is_final && program->escapes) {
        PyObject *plain = text;
        text = escaped(plain);
        Py_DECREF(plain);
    }
    return text;
}

static int
put(PyObject *piece, Run *run)
{
    run->printed += PyUnicode_GET_LENGTH(piece);
    return run->printed > run->most ? -1 : PyList_Append(run->pieces, piece);
}

static int
print_all(const Node *node, Run *run)
{
    for (Py_ssize_t at = 0; at + 1 < node->count; at += 2) {
        if (put(node->children[at]->value, run) < 0) {
            return -1;
        }
        const Node *child = node->children[at + 1];
        if (child->kind == CONSTANT) { /* the empty text where two constants would meet */
            if (put(child->value, run) < 0) {
                return -1;
            }
            continue;
        }
        PyObject *value = evaluated(child, run);
        PyObject *text = value == NULL ? NULL : printed(value, run);
        int failed = text == NULL ? -1 : put(text, run);
        Py_XDECREF(text);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

static int done(const Node *node, Run *run);

static void
keep(Run *run, Py_ssize_t place, PyObject *value)
{
    PyObject *former = run->locals[place];
    run->locals[place] = value;
    Py_XDECREF(former);
}

static int
each_of(const Node *node, Run *run, PyObject *list)
{
    int is_list = PyList_CheckExact(list);
    Py_ssize_t loop = PyLong_AsSsize_t(node->value);
    Py_ssize_t length = is_list ? PyList_GET_SIZE(list) : PyTuple_GET_SIZE(list);
    run->loops[loop].length = length;
    for (Py_ssize_t at = 0; at < length; at++) {
        if (is_list && PyList_GET_SIZE(list) != length) {
            return -1; /* somebody changed it */
        }
        if (PyErr_CheckSignals() < 0) {
            return -1;
        }
        run->loops[loop].at = at;
        keep(run, node->number,
             Py_NewRef(is_list ? PyList_GET_ITEM(list, at) : PyTuple_GET_ITEM(list, at)));
        if (done(node->children[1], run) < 0) {
            return -1;
        }
    }
    return length == 0 ? done(node->children[2], run) : 0;
}

static int
done(const Node *node, Run *run)
{
    PyObject *value;
    int found;
    switch (node->kind) {
    case PRINT:
        return print_all(node, run);
    case WHEN:
        found = holds(node->children[0], run);
        return found < 0 ? -1 : done(node->children[found ? 1 : 2], run);
    case EACH_OF:
        value = evaluated(node->children[0], run);
        found = value != NULL && (PyList_CheckExact(value) || PyTuple_CheckExact(value))
                    ? each_of(node, run, value)
                    : -1;
        Py_XDECREF(value);
        return found;
    case KEEP:
        value = evaluated(node->children[0], run);
        if (value == NULL) {
            return -1;
        }
        keep(run, node->number, value);
        return 0;
    case ALL:
        for (Py_ssize_t at = 0; at < node->count; at++) {
            if (done(node->children[at], run) < 0) {
                return -1;
            }
        }
        return 0;
    default:
        return -1;
    }
}

/* ---- programs ---- */

static void
forget(Node *node)
{
    if (node != NULL) {
        for (Py_ssize_t at = 0; at < node->count; at++) {
            forget(node->children[at]);
        }
        Py_XDECREF(node->value);
        PyMem_Free(node);
    }
}

/* What a node needs, so that running it cannot step beside it. */
static int
is_sound(const Node *node, int is_statement)
{
    static const signed char expected[KINDS] = {
        [CONSTANT] = 0, [VARIABLE] = 0, [LOCAL] = 0,     [ATTRIBUTE] = 1, [ITEM] = 1,
        [NOT] = 1,      [AND] = 2,      [OR] = 2,        [CHOICE] = 3,    [COMPARE] = 2,
        [CONTAINS] = 2, [COMPUTE] = 2,  [NEGATE] = 1,    [CALL] = -1,     [DIVISIBLE] = -1,
        [ADDRESS] = -1, [STYLE] = -1,   [QUOTE] = -1,    [MONEY] = -1,    [LOOP] = 0,
        [PRINT] = -1,   [WHEN] = 3,     [EACH_OF] = 3,   [KEEP] = 1,      [ALL] = -1,
    };
    if ((node->kind >= PRINT) != is_statement ||
        (expected[node->kind] >= 0 && expected[node->kind] != node->count)) {
        return 0;
    }
    switch (node->kind) {
    case VARIABLE:
    case ATTRIBUTE:
        return PyUnicode_CheckExact(node->value);
    case LOCAL:
    case KEEP:
        return node->number >= 0 && node->number < MOST_LOCALS;
    case CALL:
    case DIVISIBLE:
    case ADDRESS:
    case STYLE:
    case QUOTE:
    case MONEY:
        return node->number >= 0 && node->count >= 1 && node->count <= 8 && PyTuple_CheckExact(node->value) &&
               PyTuple_GET_SIZE(node->value) >= 1;
    case LOOP:
        return node->number >= 0 && node->number < MOST_LOOPS * LOOP_FACTS;
    case PRINT:
        for (Py_ssize_t at = 0; at < node->count; at++) {
            const Node *child = node->children[at];
            if ((at % 2 == 0 || child->kind == CONSTANT) &&
                !(child->kind == CONSTANT && PyUnicode_CheckExact(child->value))) {
                return 0;
            }
        }
        return node->count % 2 == 0;
    case EACH_OF: {
        Py_ssize_t loop = PyLong_CheckExact(node->value) ? PyLong_AsSsize_t(node->value) : -1;
        return node->number >= 0 && node->number < MOST_LOCALS && loop >= 0 && loop < MOST_LOOPS;
    }
    default:
        return 1;
    }
}

/* Whether a node's child is a statement. */
static int
does(Kind kind, Py_ssize_t child)
{
    return kind == ALL || (child > 0 && (kind == WHEN || kind == EACH_OF));
}

/* The node of (kind, number, value, *children); NULL with an error set. */
static Node *
parsed(PyObject *tree, int depth, int is_statement)
{
    Py_ssize_t size = PyTuple_CheckExact(tree) ? PyTuple_GET_SIZE(tree) : 0;
    long kind = size >= 3 ? PyLong_AsLong(PyTuple_GET_ITEM(tree, 0)) : -1;
    if (kind < 0 || kind >= KINDS || depth > DEEPEST) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "program: no node, or too deep a one");
        }
        return NULL;
    }
    Node *node = PyMem_Calloc(1, sizeof(Node) + (size_t)(size - 3) * sizeof(Node *));
    if (node == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    node->kind = (Kind)kind;
    node->number = PyLong_AsSsize_t(PyTuple_GET_ITEM(tree, 1));
    node->value = Py_NewRef(PyTuple_GET_ITEM(tree, 2));
    for (Py_ssize_t at = 3; at < size && !PyErr_Occurred(); at++) {
        int below = does(node->kind, at - 3);
        Node *child = parsed(PyTuple_GET_ITEM(tree, at), depth + 1, below);
        if (child != NULL) {
            node->children[node->count++] = child;
        }
    }
    if (!PyErr_Occurred() && !is_sound(node, is_statement)) {
        PyErr_SetString(PyExc_ValueError, "program: a node that cannot be run");
    }
    if (PyErr_Occurred()) {
        forget(node);
        return NULL;
    }
    return node;
}

static int
visited(const Node *node, visitproc visit, void *arg)
{
    Py_VISIT(node->value);
    for (Py_ssize_t at = 0; at < node->count; at++) {
        int found = visited(node->children[at], visit, arg);
        if (found) {
            return found;
        }
    }
    return 0;
}

static int
program_traverse(PyObject *self, visitproc visit, void *arg)
{
    const Program *program = (const Program *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(program->getattr);
    Py_VISIT(program->getitem);
    Py_VISIT(program->missing);
    Py_VISIT(program->text);
    return program->root == NULL ? 0 : visited(program->root, visit, arg);
}

static int
program_clear(PyObject *self)
{
    Program *program = (Program *)self;
    Node *root = program->root;
    program->root = NULL;
    forget(root);
    Py_CLEAR(program->getattr);
    Py_CLEAR(program->getitem);
    Py_CLEAR(program->missing);
    Py_CLEAR(program->text);
    return 0;
}

static void
program_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    program_clear(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyObject *
program_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyObject *tree, *getattr, *getitem, *missing, *text;
    int escapes;
    if (!PyArg_ParseTuple(args, "OOOOOp", &tree, &getattr, &getitem, &missing, &text, &escapes)) {
        return NULL;
    }
    Node *root = parsed(tree, 0, 1);
    Program *made = root == NULL ? NULL : (Program *)PyType_GenericAlloc(type, 0);
    if (made == NULL) {
        forget(root);
        return NULL;
    }
    made->root = root;
    made->getattr = Py_NewRef(getattr);
    made->getitem = Py_NewRef(getitem);
    made->missing = Py_NewRef(missing);
    made->text = Py_NewRef(text);
    made->escapes = escapes;
    return (PyObject *)made;
}

/* 0; -1 where it gave up, with an error set only where that is none for the code to meet again. */
static int
attempted(Run *run)
{
    int failed = PyErr_Occurred() ? -1 : done(run->program->root, run);
    if (failed && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear(); /* all but Ctrl-C */
    }
    return failed;
}

static void
let_go(Run *run)
{
    for (int at = 0; at < MOST_LOCALS; at++) {
        Py_XDECREF(run->locals[at]);
    }
}

static PyObject *
program_run(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 4 || !PyDict_Check(args[0]) || !PyTuple_Check(args[1]) || !PyList_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "run: expected a dict, a tuple, a list and a number");
        return NULL;
    }
    Run run = {.program = (const Program *)self, .given = args[0], .writers = args[1],
               .pieces = args[2], .most = PyLong_AsSsize_t(args[3]), .clean = 1};
    int failed = attempted(&run);
    let_go(&run);
    if (!failed) {
        return PyBool_FromLong(run.clean);
    }
    if (PyErr_Occurred() || PyList_SetSlice(args[2], 0, PyList_GET_SIZE(args[2]), NULL) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
program_value(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyDict_Check(args[0]) || !PyTuple_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "value: expected a dict and a tuple");
        return NULL;
    }
    PyObject *pieces = PyList_New(0);
    if (pieces == NULL) {
        return NULL;
    }
    Run run = {.program = (const Program *)self, .given = args[0], .writers = args[1],
               .pieces = pieces, .clean = 1};
    int failed = attempted(&run);
    PyObject *value = failed ? NULL : Py_XNewRef(run.locals[0]);
    let_go(&run);
    Py_DECREF(pieces);
    return value != NULL || PyErr_Occurred() ? value : Py_NewRef(Py_NotImplemented);
}

static PyMethodDef program_methods[] = {
    {"run", (PyCFunction)(void (*)(void))program_run, METH_FASTCALL, NULL},
    {"value", (PyCFunction)(void (*)(void))program_value, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot program_slots[] = {
    {Py_tp_new, program_new},           {Py_tp_dealloc, program_dealloc},
    {Py_tp_traverse, program_traverse}, {Py_tp_clear, program_clear},
    {Py_tp_methods, program_methods},   {0, NULL},
};

static PyType_Spec program_spec = {
    "vero_deliver.speedups._speedups.Program", sizeof(Program), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,   program_slots,
};

PyObject *
program_type(void)
{
    return PyType_FromSpec(&program_spec);
}
