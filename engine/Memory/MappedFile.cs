using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Pure.Engine.Memory;

/// <summary>
/// A file mapped read-only into memory: pages come from disk when first touched and are shared between processes. Views of it must
/// not be used after <see cref="Dispose"/>; what is never disposed stays mapped until the process ends. (A file that another
/// process shortens while it is mapped takes this process down: that is how mappings work everywhere.)
/// </summary>
public sealed unsafe class MappedFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _accessor;
    private readonly byte* _pointer;
    private bool _disposed;

    private MappedFile(string path, SafeFileHandle handle, MemoryMappedFile file, MemoryMappedViewAccessor accessor, long length)
    {
        Path = path;
        Length = length;
        _handle = handle;
        _file = file;
        _accessor = accessor;
        byte* pointer = null;
        accessor.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        _pointer = pointer + accessor.PointerOffset;
    }

    /// <summary>The path as it was given.</summary>
    public string Path { get; }

    /// <summary>Length in bytes.</summary>
    public long Length { get; }

    /// <summary>All bytes.</summary>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public NativeView View
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return new NativeView(_pointer, Length, this);
        }
    }

    /// <summary>Maps the file at <paramref name="path"/>.</summary>
    /// <exception cref="ModelFormatException">The path is missing, a directory, empty, or may not be read.</exception>
    public static MappedFile Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Directory.Exists(path))
            throw new ModelFormatException($"{path}: this is a directory, a file was expected; name the file inside it.");
        if (!File.Exists(path))
            throw new ModelFormatException($"{path}: there is no such file; check the path.");

        try
        {
            // Pipes and devices answer zero too, and are refused before opening one could block.
            var named = new FileInfo(path);
            if ((named.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? named).Length == 0)
                throw Empty(path);

            SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            try
            {
                return Map(path, handle, RandomAccess.GetLength(handle));
            }
            catch
            {
                handle.Dispose();
                throw;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ModelFormatException(
                $"{path}: the file cannot be read ({exception.Message.TrimEnd('.')}); check its permissions and the disk.", exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _accessor.SafeMemoryMappedViewHandle.ReleasePointer();
        _accessor.Dispose();
        _file.Dispose();
        _handle.Dispose();
    }

    /// <summary>
    /// Whether the system is told to keep no copy of what <see cref="Read"/> has read: where memory is short, making room for the next read
    /// costs more than reading again.
    /// </summary>
    internal bool ReadsInPassing { get; set; }

    /// <summary>
    /// Reads the bytes of <paramref name="part"/>, a part of <see cref="View"/>, from the file; any number of threads at once.
    /// </summary>
    /// <exception cref="ModelFormatException">The file has become shorter, or cannot be read.</exception>
    internal void Read(NativeView part, Span<byte> target)
    {
        long offset = part.Pointer - _pointer;
        try
        {
            for (int done = 0; done < target.Length;)
            {
                int read = RandomAccess.Read(_handle, target[done..], offset + done);
                if (read == 0)
                    throw new ModelFormatException($"{Path}: the file ends at byte {offset + done}, it had {Length} bytes when it was opened; it changed meanwhile, start again.");
                done += read;
            }

            if (ReadsInPassing)
                PageAdvice.Forget(_handle, offset, target.Length);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException($"{Path}: byte {offset} and after cannot be read ({exception.Message.TrimEnd('.')}); check the disk.", exception);
        }
    }

    private static MappedFile Map(string path, SafeFileHandle handle, long length)
    {
        var file = MemoryMappedFile.CreateFromFile(
            handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        try
        {
            return new MappedFile(path, handle, file, file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read), length);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static ModelFormatException Empty(string path) =>
        new($"{path}: the file is empty; download it again.");
}
