// Run by us in a page of our own with two pictures: marks in each what the other has not.
async (scale) => {
  const figures = [...document.querySelectorAll("figure")];
  const images = figures.map((figure) => figure.querySelector("img"));
  await Promise.all(images.map((image) => image.decode()));

  const pictures = images.map((image) => {
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    image.width = canvas.width / scale;
    const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
    return { width: canvas.width, height: canvas.height, pixels: new Uint32Array(data.buffer) };
  });
  const row = ({ pixels, width }, y) => pixels.subarray(y * width, (y + 1) * width);

  // rows of pixels as numbers, equal where the rows are
  const known = new Map();
  const [before, after] = pictures.map((picture) =>
    Int32Array.from({ length: picture.height }, (_, y) => {
      const key = row(picture, y).join();
      if (!known.has(key)) known.set(key, known.size);
      return known.get(key);
    }),
  );

  // which rows are in neither's longest common sequence, between the common start and end
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let ends = [before.length, after.length];
  while (ends[0] > start && ends[1] > start && before[ends[0] - 1] === after[ends[1] - 1]) {
    ends = [ends[0] - 1, ends[1] - 1];
  }
  const [m, n] = [ends[0] - start, ends[1] - start];
  const changed = [[], []];
  if (m * n > 3e7) {
    changed[0] = Array.from({ length: m }, (_, i) => start + i);
    changed[1] = Array.from({ length: n }, (_, i) => start + i);
  } else {
    const length = new Uint16Array((m + 1) * (n + 1));
    const at = (i, j) => i * (n + 1) + j;
    for (let i = m - 1; i >= 0; i--) {
      for (let j = n - 1; j >= 0; j--) {
        length[at(i, j)] =
          before[start + i] === after[start + j]
            ? length[at(i + 1, j + 1)] + 1
            : Math.max(length[at(i + 1, j)], length[at(i, j + 1)]);
      }
    }
    let [i, j] = [0, 0];
    while (i < m || j < n) {
      if (i < m && j < n && before[start + i] === after[start + j]) [i, j] = [i + 1, j + 1];
      else if (j === n || (i < m && length[at(i + 1, j)] >= length[at(i, j + 1)])) {
        changed[0].push(start + i++);
      } else changed[1].push(start + j++);
    }
  }

  // rows that are near each other are one mark, as wide as it differs, or as what is in it
  const blank = (picture, y) => row(picture, y).every((pixel, _, all) => pixel === all[0]);
  const bands = changed.map((rows, side) => {
    const found = [];
    const inked = rows.filter((y) => !blank(pictures[side], y));
    for (const y of inked.length ? inked : rows) {
      const last = found.at(-1);
      if (last && y - last.bottom < 8 * scale) last.bottom = y + 1;
      else found.push({ top: y, bottom: y + 1 });
    }
    return found;
  });
  const paired = bands[0].length === bands[1].length;
  const extent = (own, other, side) => {
    if (own.bottom - own.top !== other.bottom - other.top) return null;
    const [one, two] = [pictures[side], pictures[1 - side]];
    let [left, right] = [one.width, 0];
    for (let y = 0; y < own.bottom - own.top; y++) {
      const [a, b] = [row(one, own.top + y), row(two, other.top + y)];
      for (let x = 0; x < one.width; x++) {
        if (a[x] !== b[x]) [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
      }
    }
    return left < right ? { left, right } : null;
  };
  const ink = ({ top, bottom }, picture) => {
    let [left, right] = [picture.width, 0];
    for (let y = top; y < bottom; y++) {
      const pixels = row(picture, y);
      for (let x = 0; x < picture.width; x++) {
        if (pixels[x] !== pixels[0]) [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
      }
    }
    return left < right ? { left, right } : { left: 0, right: picture.width };
  };
  bands.forEach((marks, side) => {
    for (const [index, mark] of marks.entries()) {
      const other = paired && bands[1 - side][index];
      Object.assign(mark, (other && extent(mark, other, side)) || ink(mark, pictures[side]));
    }
  });
  bands.forEach((marks, side) => {
    for (const { top, bottom, left, right } of marks) {
      const mark = document.createElement("i");
      const edge = 4;
      mark.style.cssText =
        `top:${top / scale - edge}px;height:${(bottom - top) / scale + 2 * edge}px;` +
        `left:${left / scale - edge}px;width:${(right - left) / scale + 2 * edge}px`;
      figures[side].append(mark);
    }
  });
}
