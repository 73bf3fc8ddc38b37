/* Numbers and sums of money as text. */

#include "speedups.h"

typedef struct {
    Py_ssize_t size;
    char text[40];
} Affix;

typedef struct {
    int decimals;
    Affix prefix, suffix, group, point;
} Figures;

static char *
put(char *to, const Affix *affix)
{
    memcpy(to, affix->text, (size_t)affix->size);
    return to + affix->size;
}

/* The amount in units of its last decimal; 0 where that is not sure. */
static int64_t
in_units(PyObject *value, int decimals)
{
    static const int64_t tens[] = {1, 10, 100, 1000};
    if (PyFloat_CheckExact(value)) {
        double amount = PyFloat_AsDouble(value);
        if (!(amount > 0 && amount < 1e9)) {
            return 0;
        }
        double shifted = amount * (double)(10 * tens[decimals]);
        int64_t whole = (int64_t)shifted;
        double rest = (double)(whole % 10) + (shifted - (double)whole);
        if (rest > 4.9 && rest < 5.1) { /* perhaps a tie */
            return 0;
        }
        /* the product is off by less than a hundredth, and a tie is further away */
        return (int64_t)(amount * (double)tens[decimals] + 0.5);
    }
    if (PyLong_CheckExact(value)) {
        int overflow;
        long long amount = PyLong_AsLongLongAndOverflow(value, &overflow);
        return overflow || amount <= 0 || amount >= 1000000000 ? 0 : amount * tens[decimals];
    }
    return 0;
}

static PyObject *
write_figure(PyObject *self, PyObject *value)
{
    const Figures *figures = (const Figures *)PyBytes_AsString(self);
    if (figures == NULL) {
        return NULL;
    }
    int64_t units = in_units(value, figures->decimals);
    char digits[24], text[5 * sizeof(Affix)], *to = text;
    int length = 0, decimals = figures->decimals;
    if (units == 0) {
        /* an amount that rounds to nothing is left to the other way too */
        return PyUnicode_FromStringAndSize("", 0);
    }
    for (; units || length <= decimals; units /= 10) { /* the last digit first */
        digits[length++] = (char)('0' + units % 10);
    }
    to = put(to, &figures->prefix);
    for (int at = length - 1; at >= 0; at--) {
        *to++ = digits[at];
        if (at > decimals && (at - decimals) % 3 == 0) {
            to = put(to, &figures->group);
        }
        if (at == decimals && decimals > 0) {
            to = put(to, &figures->point);
        }
    }
    to = put(to, &figures->suffix);
    return PyUnicode_FromStringAndSize(text, to - text);
}

static PyMethodDef write_method = {"write", write_figure, METH_O, NULL};

PyObject *
figures(PyObject *module, PyObject *args)
{
    Figures made;
    memset(&made, 0, sizeof(made));
    Affix *affixes[] = {&made.group, &made.point, &made.prefix, &made.suffix};
    const char *texts[4];
    Py_ssize_t sizes[4];
    if (!PyArg_ParseTuple(args, "is#s#s#s#", &made.decimals, &texts[0], &sizes[0], &texts[1],
                          &sizes[1], &texts[2], &sizes[2], &texts[3], &sizes[3])) {
        return NULL;
    }
    if (made.decimals < 0 || made.decimals > 3) {
        PyErr_SetString(PyExc_ValueError, "figures: expected 0 to 3 decimals");
        return NULL;
    }
    for (int at = 0; at < 4; at++) {
        /* group stands in a number up to twice */
        if (sizes[at] > (Py_ssize_t)sizeof(made.prefix.text) / (at == 0 ? 4 : 1)) {
            Py_RETURN_NONE;
        }
        affixes[at]->size = sizes[at];
        memcpy(affixes[at]->text, texts[at], (size_t)sizes[at]);
    }
    PyObject *self = PyBytes_FromStringAndSize((const char *)&made, sizeof(made));
    PyObject *write = self == NULL ? NULL : PyCFunction_NewEx(&write_method, self, NULL);
    Py_XDECREF(self);
    (void)module;
    return write;
}
