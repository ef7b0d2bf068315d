#include "scopefs/word_distance.h"

#include <string.h>

#define MAX_COMPARED 64

static size_t smaller(size_t one, size_t other)
{
    return one < other ? one : other;
}

size_t word_distance(const char *one, const char *other)
{
    size_t rows = strlen(one), columns = strlen(other);
    size_t above[MAX_COMPARED + 1];
    if (rows > MAX_COMPARED || columns > MAX_COMPARED)
        return MAX_COMPARED;
    for (size_t c = 0; c <= columns; c++)
        above[c] = c;
    for (size_t r = 1; r <= rows; r++) {
        size_t diagonal = above[0];
        above[0] = r;
        for (size_t c = 1; c <= columns; c++) {
            size_t replaced = diagonal + (one[r - 1] != other[c - 1]);
            diagonal = above[c];
            above[c] = smaller(replaced, smaller(above[c], above[c - 1]) + 1);
        }
    }
    return above[columns];
}
