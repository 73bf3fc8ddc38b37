/* The expressions of programs. */

#include "program.h"

static int
is_scalar(PyObject *value)
{
    return PyUnicode_CheckExact(value) || is_number(value) || PyBool_Check(value) ||
           value == Py_None;
}

static int
is_container(PyObject *value)
{
    return PyDict_CheckExact(value) || PyList_CheckExact(value) || PyTuple_CheckExact(value);
}

int
is_plain(PyObject *value, const Run *run)
{
    PyObject *plain = run->program->plain;
    if (is_scalar(value)) {
        return 1;
    }
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(plain); at++) {
        if ((PyObject *)Py_TYPE(value) == PyTuple_GET_ITEM(plain, at)) {
            return 1;
        }
    }
    return 0;
}

/* -1 to give up. */
static int
truth(PyObject *value)
{
    if (value == Py_True || value == Py_False) {
        return value == Py_True;
    }
    if (is_scalar(value) || is_container(value)) {
        return PyObject_IsTrue(value);
    }
    return -1;
}

int
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
    if (value == NULL && !PyErr_Occurred() && (is_container(of) || is_plain(of, run))) {
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
        if (arguments[at] == NULL || !(is_container(arguments[at]) || is_plain(arguments[at], run))) {
            Py_XDECREF(arguments[at]);
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
    int other = is_container(container) && is_scalar(item);
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

PyObject *
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
