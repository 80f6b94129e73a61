// Pictures become model inputs: each thread makes one pixel of the input out of the planes as the decoder left them.
//
// No picture stands in memory between the two. What can be decided for a whole picture is decided by the host:
// pipeline/cuda/structs.py says what the fields below mean, and they are laid out alike in both files.

struct Channel {
    const unsigned char *samples;
    int pitch;
    int stride;
};

struct Axis {
    float origin;
    float step;
    float span;
    int count;
    int halvings;
};

struct Image {
    Channel channels[3];
    Axis x;
    Axis y;
    Axis chroma_x;
    Axis chroma_y;
    int width;
    int height;
    int turned;
    int flipped_x;
    int flipped_y;
    int yuv;
};

struct Target {
    int width;
    int height;
    int channels;
    int rgb;
    int channels_last;
    float fill;
    float mean[3];
    float std[3];
};

// What a pixel of the content covers of an axis, in samples as they are after halving.
struct Stretch {
    float low;
    float high;
    int first;
    int last;
};

__device__ Stretch stretch(const Axis &axis, int pixel)
{
    // Far beyond the window there is nothing but its edge: nearer by, the sample has a number that fits an int.
    float centre = fminf(fmaxf(axis.origin + (pixel + 0.5f) * axis.step, -axis.span), axis.count + axis.span);
    Stretch covered;
    covered.low = centre - 0.5f * axis.span;
    covered.high = centre + 0.5f * axis.span;
    covered.first = (int)floorf(covered.low);
    covered.last = (int)ceilf(covered.high) - 1;
    return covered;
}

__device__ float overlap(const Stretch &covered, int sample)
{
    return fminf(covered.high, sample + 1.0f) - fmaxf(covered.low, (float)sample);
}

__device__ int within(int sample, int count)
{
    return sample < 0 ? 0 : sample < count ? sample : count - 1;
}

// A sample after halving: the mean of a block of those in memory. Beyond the window its edge is repeated.
__device__ float halved(const Channel &channel, const Axis &x, const Axis &y, int column, int row)
{
    long long first_column = (long long)within(column, x.count) << x.halvings;
    long long first_row = (long long)within(row, y.count) << y.halvings;
    const unsigned char *line = channel.samples + first_row * channel.pitch + first_column * channel.stride;
    float sum = 0;
    for (int down = 0; down < 1 << y.halvings; ++down, line += channel.pitch) {
        int of_line = 0;
        for (int across = 0; across < 1 << x.halvings; ++across)
            of_line += line[across * channel.stride];
        sum += of_line;
    }
    return sum / (1 << x.halvings) / (1 << y.halvings);
}

// The mean over what a pixel covers. A span of one sample is what linear means: two samples, by how near each is.
__device__ float sampled(const Channel &channel, const Axis &x, const Axis &y, int column, int row)
{
    Stretch across = stretch(x, column);
    Stretch down = stretch(y, row);
    float sum = 0, area = 0;
    for (int j = down.first; j <= down.last; ++j)
        for (int i = across.first; i <= across.last; ++i) {
            float share = overlap(across, i) * overlap(down, j);
            sum += share * halved(channel, x, y, i, j);
            area += share;
        }
    return sum / area;
}

// Brightness from 0 to 255, and colours as far, become what limited range has for them.
__device__ void limited_from_full(float *values, int count)
{
    values[0] = 16 + values[0] * (219.0f / 255);
    for (int c = 1; c < count; ++c)
        values[c] = 128 + (values[c] - 128) * (224.0f / 255);
}

// Limited-range BT.601 with the coefficients that OpenCV has.
__device__ void bgr_from_yuv(float *values)
{
    float y = 1.164f * fmaxf(values[0] - 16, 0), u = values[1] - 128, v = values[2] - 128;
    values[0] = y + 2.018f * u;
    values[1] = y - 0.391f * u - 0.813f * v;
    values[2] = y + 1.596f * v;
}

// The channels of one pixel, 0 to 255, in the order of the target.
__device__ void pixel(const Image &image, const Target &target, int column, int row, float *values)
{
    bool inside = column < (image.turned ? image.height : image.width);
    inside = inside && row < (image.turned ? image.width : image.height);
    if (!inside) {
        values[0] = values[1] = values[2] = target.fill;
        return;
    }
    int x = image.turned ? row : column, y = image.turned ? column : row;
    x = image.flipped_x ? image.width - 1 - x : x;
    y = image.flipped_y ? image.height - 1 - y : y;

    bool grey = target.channels == 1;
    values[0] = sampled(image.channels[0], image.x, image.y, x, y);
    for (int c = 1; c < 3 && !(image.yuv && grey); ++c)
        // One pair of chroma for two by two pixels of the content, as the CPU converts colours.
        values[c] = image.yuv ? sampled(image.channels[c], image.chroma_x, image.chroma_y, x >> 1, y >> 1)
                              : sampled(image.channels[c], image.x, image.y, x, y);
    if (image.yuv == 2)
        limited_from_full(values, target.channels);
    if (image.yuv && grey)
        values[0] = (values[0] - 16) * (255.0f / 219);
    else if (image.yuv)
        bgr_from_yuv(values);
    else if (grey)
        values[0] = 0.114f * values[0] + 0.587f * values[1] + 0.299f * values[2];
    if (target.rgb) {
        float blue = values[0];
        values[0] = values[2];
        values[2] = blue;
    }
    for (int c = 0; c < target.channels; ++c)
        values[c] = fminf(fmaxf(values[c], 0), 255);
}

__device__ void store(float value, const Target &target, int c, float *out)
{
    *out = (value - target.mean[c]) / target.std[c];
}

__device__ void store(float value, const Target &, int, unsigned char *out)
{
    *out = (unsigned char)(value + 0.5f);
}

// Threads: x and y are column and row of the target, z is the image.
template <class Value> __device__ void write_pixel(const Image *images, const Target &target, Value *out)
{
    int column = blockIdx.x * blockDim.x + threadIdx.x;
    int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= target.width || row >= target.height)
        return;
    float values[3];
    pixel(images[blockIdx.z], target, column, row, values);

    long long plane = (long long)target.width * target.height;
    long long at = (long long)row * target.width + column;
    out += blockIdx.z * plane * target.channels;
    for (int c = 0; c < target.channels; ++c)
        store(values[c], target, c, out + (target.channels_last ? at * target.channels + c : c * plane + at));
}

extern "C" __global__ void planes_to_floats(const Image *images, const Target *target, float *out)
{
    write_pixel(images, *target, out);
}

extern "C" __global__ void planes_to_bytes(const Image *images, const Target *target, unsigned char *out)
{
    write_pixel(images, *target, out);
}

// Keeps a stream busy for so many cycles, so that what is made on it afterwards is late.
extern "C" __global__ void be_late(const long long *cycles)
{
    long long begin = clock64();
    while (clock64() - begin < *cycles) {
    }
}
