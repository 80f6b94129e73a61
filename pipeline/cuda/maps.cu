// Peaks of maps (N, h, w), finer than a cell, as nodes/ops/heatmap.py defines them.
//
// In two launches and without shared memory: neighbours in a row are read by neighbouring threads, and each kernel can
// be executed one thread after the other.

// Values are taken for at least this before a logarithm, as on the host.
#define LEAST 1e-6f

// Threads: x is the column, y the map. Writes the row (N, w) of the highest cell of each column, the first of equals.
extern "C" __global__ void peaks_of_columns(const float *maps, const int *shape, int *rows)
{
    int high = shape[1], wide = shape[2];
    int column = blockIdx.x * blockDim.x + threadIdx.x;
    int map = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= wide || map >= shape[0])
        return;
    const float *cell = maps + (long long)map * high * wide + column;
    float best = cell[0];
    int at = 0;
    for (int row = 1; row < high; ++row) {
        float value = cell[(long long)row * wide];
        if (value > best) {
            best = value;
            at = row;
        }
    }
    rows[(long long)map * wide + column] = at;
}

// Where the parabola through the logarithms of a cell and its neighbours has its top, in cells from the middle one: no
// more than half a cell for a middle that is not lower than the others. A flat one has it in the middle.
__device__ float top(float before, float middle, float after)
{
    before = logf(fmaxf(before, LEAST));
    middle = logf(fmaxf(middle, LEAST));
    after = logf(fmaxf(after, LEAST));
    float bend = 2 * middle - before - after;
    return bend > 0 ? 0.5f * (after - before) / bend : 0.0f;
}

// Threads: x is the map. Writes x and y (N, 2) of its peak in fractions of the map, and how high it is (N,).
extern "C" __global__ void peaks_of_maps(const float *maps, const int *shape, const int *rows, float *xy, float *height)
{
    int high = shape[1], wide = shape[2];
    int map = blockIdx.x * blockDim.x + threadIdx.x;
    if (map >= shape[0])
        return;
    const float *cells = maps + (long long)map * high * wide;
    rows += (long long)map * wide;
    int column = 0, row = rows[0];
    float best = cells[(long long)row * wide];
    for (int other = 1; other < wide; ++other) {
        float value = cells[(long long)rows[other] * wide + other];
        // Of equals the first in reading order: the upper one, then the left one.
        if (value > best || (value == best && rows[other] < row)) {
            best = value;
            column = other;
            row = rows[other];
        }
    }
    const float *peak = cells + (long long)row * wide + column;
    bool inner_x = column > 0 && column < wide - 1, inner_y = row > 0 && row < high - 1;
    float across = inner_x ? top(peak[-1], best, peak[1]) : 0;
    float down = inner_y ? top(peak[-wide], best, peak[wide]) : 0;
    xy[2LL * map] = (column + 0.5f + across) / wide;
    xy[2LL * map + 1] = (row + 0.5f + down) / high;
    height[map] = best;
}
